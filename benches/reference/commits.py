"""The commits that a durable ledger cannot do without, and nothing else: each mail is noted before its last
byte and settled after its answer, and those of all connections go to the disk together.

usage: commits.py DATABASE MAILS CONNECTIONS     prints the seconds
"""

import pathlib
import sqlite3
import sys
import time

database, mails, connections = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for path in database.parent.glob(f"{database.name}*"):
    path.unlink()
db = sqlite3.connect(database, isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = FULL")
db.execute("CREATE TABLE deliveries (id INTEGER PRIMARY KEY, state TEXT NOT NULL, at INTEGER, reply TEXT)")
db.execute("BEGIN")
db.executemany("INSERT INTO deliveries (id, state) VALUES (?, 'claimed')", ((number,) for number in range(mails)))
db.execute("COMMIT")

start = time.perf_counter()
for first in range(0, mails, connections):
    group = range(first, min(first + connections, mails))
    for state, reply in (("transmitting", None), ("accepted", "250 2.0.0 Ok: queued as 4XyZab12Cd")):
        db.execute("BEGIN IMMEDIATE")
        db.executemany("UPDATE deliveries SET state = ?, at = ?, reply = ? WHERE id = ?",
                       ((state, time.time_ns() // 1000, reply, number) for number in group))
        db.execute("COMMIT")
print(time.perf_counter() - start)
