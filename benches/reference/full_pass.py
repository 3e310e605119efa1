"""The reference of the full-pass bench: the same six segments as hand-written SQL in DuckDB.

usage: full_pass.py DATA OUT

DATA holds contacts.parquet and events.parquet as made by the shared generator. The tables are
loaded first; the timed part evaluates six segments at 2026-11-01T00:00:00Z and writes the pairs
(segment, contact) into a table, with two threads. Prints one JSON line: the seconds of three warm
passes, peak memory, members by segment; OUT receives the pairs, sorted, as `segment contact`.
"""

import json
import os
import resource
import sys
import time

import duckdb

data, out = sys.argv[1], sys.argv[2]
database = out + ".duckdb"
if os.path.exists(database):
    os.remove(database)
db = duckdb.connect(database)
db.execute("SET threads = 2")
db.execute("SET TimeZone = 'UTC'")
db.execute(
    f"CREATE TABLE contacts AS SELECT id, consent FROM '{data}/contacts.parquet'"
)
db.execute(
    f"CREATE TABLE events AS SELECT contact_id, type, ts, amount, category FROM '{data}/events.parquet'"
)
NOW = 1793491200  # 2026-11-01T00:00:00Z
YEAR_AGO = 1761955200  # 2025-11-01T00:00:00Z: twelve calendar months
DAY = 86400
PURCHASES = f"FROM events WHERE type = 1 AND ts <= {NOW}"
SEGMENTS = {
    "best": f"""SELECT contact_id {PURCHASES} AND ts > {YEAR_AGO}
        GROUP BY contact_id HAVING sum(amount) > 1000 AND count(*) >= 5""",
    "quiet": f"""SELECT contact_id {PURCHASES} GROUP BY contact_id
        HAVING max(ts) <= {NOW - 90 * DAY} AND max(ts) > {NOW - 180 * DAY}""",
    "clicked": f"""SELECT DISTINCT contact_id FROM events
        WHERE type = 5 AND ts > {NOW - 30 * DAY} AND ts <= {NOW} AND contact_id NOT IN
            (SELECT contact_id {PURCHASES} AND ts > {NOW - 30 * DAY})""",
    "browsing": f"""SELECT contact_id FROM events
        WHERE type = 2 AND category = 0 AND ts > {NOW - 7 * DAY} AND ts <= {NOW}
        GROUP BY contact_id HAVING count(*) >= 3""",
    "big_baskets": f"SELECT contact_id {PURCHASES} GROUP BY contact_id HAVING avg(amount) > 80",
    "never_bought": f"""SELECT id FROM contacts
        WHERE consent = 1 AND id NOT IN (SELECT contact_id {PURCHASES})""",
}


def full_pass():
    db.execute("CREATE OR REPLACE TABLE pairs (segment VARCHAR, contact_id BIGINT)")
    for segment, query in SEGMENTS.items():
        db.execute(f"INSERT INTO pairs SELECT '{segment}', * FROM ({query})")


seconds = []
for round_ in range(4):
    start = time.perf_counter()
    full_pass()
    if round_ > 0:  # the first one warms
        seconds.append(round(time.perf_counter() - start, 4))
members = dict(db.execute("SELECT segment, count(*) FROM pairs GROUP BY 1 ORDER BY 1").fetchall())
db.execute(
    f"COPY (SELECT segment, contact_id FROM pairs ORDER BY 1, 2) TO '{out}' (HEADER false, DELIMITER ' ')"
)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"seconds": seconds, "peak_mib": peak, "members": members}))
