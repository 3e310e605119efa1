"""The reference of the full-pass benches: the same segments as hand-written SQL in DuckDB.

usage: full_pass.py six|ten DATA OUT

DATA holds contacts.parquet and events.parquet as made by the shared generator. The tables are
loaded first; the timed part evaluates the segments at 2026-11-01T00:00:00Z and writes the pairs
(segment, contact) into a table, with two threads. Prints one JSON line: the seconds of warm
passes, peak memory, members by segment; OUT receives the pairs, sorted, as `segment contact`.
"""

import json
import os
import resource
import sys
import time

import duckdb

which, data, out = sys.argv[1:4]
database = out + ".duckdb"
if os.path.exists(database):
    os.remove(database)
db = duckdb.connect(database)
db.execute("SET threads = 2")
db.execute("SET TimeZone = 'UTC'")
columns = "id, consent"
if which == "ten":
    columns += ", country, b2b = 1 AS b2b, tz, birth_date::DATE AS birth_date"
    columns += """, from_json(attrs->'interests', '["VARCHAR"]') AS interests"""
db.execute(f"CREATE TABLE contacts AS SELECT {columns} FROM '{data}/contacts.parquet'")
db.execute(
    f"CREATE TABLE events AS SELECT contact_id, type, ts, amount, category FROM '{data}/events.parquet'"
)
NOW = 1793491200  # 2026-11-01T00:00:00Z
YEAR_AGO = 1761955200  # 2025-11-01T00:00:00Z: twelve calendar months
DAY = 86400
PURCHASES = f"FROM events WHERE type = 1 AND ts <= {NOW}"
# At midnight in UTC it is still the day before in America.
TODAY = "CASE WHEN tz LIKE 'America/%' THEN DATE '2026-10-31' ELSE DATE '2026-11-01' END"
AGE = f"date_diff('year', birth_date, {TODAY}) - (strftime({TODAY}, '%m%d') < strftime(birth_date, '%m%d'))::INT"
POINTS = "CASE type WHEN 1 THEN 20 WHEN 2 THEN 1 WHEN 5 THEN 5 WHEN 6 THEN 5 WHEN 7 THEN 10 ELSE 0 END"
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
if which == "ten":
    SEGMENTS |= {
        "french_tennis": f"""SELECT id FROM contacts WHERE country = 'FR' AND list_contains(interests, 'tennis')
            AND {AGE} BETWEEN 25 AND 40""",
        # Nothing follows any of the last ten mails just when nothing follows the first of them.
        "asleep": f"""WITH mails AS (SELECT contact_id, ts, row_number() OVER (PARTITION BY contact_id ORDER BY ts DESC) AS n
                FROM events WHERE type = 3 AND ts <= {NOW}),
            opens AS (SELECT contact_id, max(ts) AS ts FROM events WHERE type = 4 AND ts <= {NOW} GROUP BY contact_id)
            SELECT mails.contact_id FROM mails LEFT JOIN opens USING (contact_id)
            WHERE mails.n = 10 AND (opens.ts IS NULL OR opens.ts <= mails.ts)""",
        "warm_b2b": f"""SELECT contact_id FROM events WHERE ts > {NOW - 90 * DAY} AND ts <= {NOW}
            AND contact_id IN (SELECT id FROM contacts WHERE b2b)
            GROUP BY contact_id HAVING least(100, sum({POINTS})) > 20""",
    }


def full_pass():
    db.execute("CREATE OR REPLACE TABLE pairs (segment VARCHAR, contact_id BIGINT)")
    for segment, query in SEGMENTS.items():
        db.execute(f"INSERT INTO pairs SELECT '{segment}', * FROM ({query})")


seconds = []
for round_ in range(6):
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
