"""Who is meant in the invoice lines of the UCI Online Retail file, by SQL that was written by hand.

    online_retail_by_hand.py online-retail.csv.gz

It shares nothing with the program: the file is read by Python, the rest is one table in SQLite and
plain queries over the columns as they are in the file. Prints JSON. Amounts are in thousandths; no
price of the file is finer. Now is 2011-12-10 09:00 in London, and so are the file's times.
"""

import csv
import gzip
import json
import sqlite3
import sys

database = sqlite3.connect(":memory:")
database.execute("CREATE TABLE lines (invoice TEXT, stock TEXT, about TEXT, quantity TEXT, at TEXT, price TEXT, customer TEXT, country TEXT)")
with gzip.open(sys.argv[1], "rt", encoding="utf-8", newline="") as file:
    rows = csv.reader(file)
    next(rows)
    database.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

database.execute(
    """
    CREATE TABLE purchases AS
    SELECT customer, invoice, at,
           CAST(quantity AS INTEGER) * CAST(ROUND(CAST(price AS REAL) * 1000) AS INTEGER) AS thousandths
    FROM lines WHERE invoice NOT LIKE 'C%' AND customer <> ''
    """
)

counts = """
    SELECT COUNT(*) AS lines,
           SUM(invoice LIKE 'C%') AS cancelled,
           SUM(invoice NOT LIKE 'C%' AND customer = '') AS without_customer,
           (SELECT COUNT(*) FROM purchases) AS purchases,
           (SELECT SUM(thousandths) FROM purchases) AS thousandths,
           COUNT(DISTINCT NULLIF(customer, '')) AS customers
    FROM lines
"""

# Twelve months before: the same local time of 2010, which does not count itself.
best = """
    SELECT customer, COUNT(DISTINCT invoice) AS orders, SUM(thousandths) AS thousandths
    FROM purchases
    WHERE at > '2010-12-10 09:00:00' AND at <= '2011-12-10 09:00:00'
    GROUP BY customer
    HAVING COUNT(DISTINCT invoice) >= 5 AND SUM(thousandths) >= 2000 * 1000
"""

# 90 days of 24 hours before: ten o'clock by the summer time of that day.
lapsed = """
    SELECT customer, COUNT(DISTINCT invoice) AS orders, SUM(thousandths) AS thousandths
    FROM purchases
    WHERE at <= '2011-12-10 09:00:00'
    GROUP BY customer
    HAVING MAX(at) <= '2011-09-11 10:00:00'
"""

cursor = database.execute(counts)
[row] = cursor.fetchall()
answer = {name[0]: value for name, value in zip(cursor.description, row)}
for name, query in [("best", best), ("lapsed", lapsed)]:
    found = database.execute(query).fetchall()
    answer[name] = {customer: [orders, thousandths] for customer, orders, thousandths in found}
json.dump(answer, sys.stdout)
