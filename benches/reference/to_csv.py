"""Turns the shared bench data into the CSV files that `campaignd import` reads.

usage: to_csv.py DATA OUT [EVENTS]
"""

import sys

import duckdb

data, out = sys.argv[1], sys.argv[2]
limit = f"LIMIT {sys.argv[3]}" if len(sys.argv) > 3 else ""
db = duckdb.connect(":memory:")
db.execute("SET threads = 2")
db.execute("SET TimeZone = 'UTC'")
db.execute(
    f"""COPY (SELECT id, email, country, birth_date, language, tz AS time_zone,
        array_to_string(from_json(attrs->'interests', '["VARCHAR"]'), ';') AS interests,
        CASE b2b WHEN 1 THEN 'true' ELSE 'false' END AS b2b,
        CASE consent WHEN 1 THEN 'yes' ELSE 'no' END AS "consent.marketing",
        strftime(to_timestamp(created_at), '%Y-%m-%dT%H:%M:%SZ') AS created_at
        FROM '{data}/contacts.parquet' ORDER BY id) TO '{out}/contacts.csv' (HEADER)"""
)
# The daemon counts opens by people only, so these say that they are; clicks have a name of their own.
names = ["purchase", "page_view", "email_sent", "email_opened", "link_click", "cart_add", "form_submit"]
cases = " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(names, 1))
db.execute(
    f"""COPY (SELECT contact_id AS id, CASE type {cases} END AS event,
        strftime(to_timestamp(ts), '%Y-%m-%dT%H:%M:%SZ') AS at, 'e' || id AS message_id,
        CASE type WHEN 4 THEN 'human' END AS by, amount, category, props->>'product' AS product, props->>'url' AS url
        FROM '{data}/events.parquet' {limit}) TO '{out}/events.csv' (HEADER)"""
)
