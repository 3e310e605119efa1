"""The reference of the full-pass benches: the same segments as hand-written SQL in DuckDB.

usage: full_pass.py six|ten|hundred DATA OUT ROUNDS

DATA holds contacts.parquet and events.parquet as made by the shared generator. The tables are
loaded and the bounds of ranks are found first; the timed part evaluates the segments at
2026-11-01T00:00:00Z and writes the pairs (segment, contact) into a table, with two threads. Prints
one JSON line: the seconds of warm passes, peak memory, members by segment; OUT receives the pairs,
sorted, as `segment contact`.
"""

import json
import os
import resource
import sys
import time

import segments
import typed

which, data, out, rounds = *sys.argv[1:4], int(sys.argv[4])
database = out + ".duckdb"
if os.path.exists(database):
    os.remove(database)
db = typed.open_duckdb(data, database)
queries = segments.queries(which, segments.ranks(lambda query: db.execute(query).fetchone()[0]))


def full_pass():
    db.execute("CREATE OR REPLACE TABLE pairs (segment VARCHAR, contact BIGINT)")
    for segment, query in queries.items():
        db.execute(f"INSERT INTO pairs SELECT '{segment}', * FROM ({query})")


seconds = []
for round_ in range(rounds + 1):
    start = time.perf_counter()
    full_pass()
    if round_ > 0:  # the first one warms
        seconds.append(round(time.perf_counter() - start, 4))
members = dict(db.execute("SELECT segment, count(*) FROM pairs GROUP BY 1 ORDER BY 1").fetchall())
db.execute(f"COPY (SELECT segment, contact FROM pairs ORDER BY 1, 2) TO '{out}' (HEADER false, DELIMITER ' ')")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"seconds": seconds, "peak_mib": peak, "members": members}))
