"""The bench data in tables with typed columns, as the SQL of `segments` reads them."""

import duckdb

CONTACTS = """SELECT id, consent::SMALLINT AS consent, country, b2b::SMALLINT AS b2b, tz,
    CAST(replace(birth_date, '-', '') AS INTEGER) AS birth,
    ',' || array_to_string(from_json(attrs->'interests', '["VARCHAR"]'), ',') || ',' AS interests
    FROM '{data}/contacts.parquet' ORDER BY id"""
EVENTS = """SELECT contact_id AS contact, type::SMALLINT AS type, ts, round(amount * 100)::INTEGER AS amount,
    category::SMALLINT AS category FROM '{data}/events.parquet'"""


def open_duckdb(data, database=":memory:"):
    """Both tables in DuckDB, with two threads."""
    db = duckdb.connect(database)
    db.execute("SET enable_progress_bar = false")
    db.execute("SET threads = 2")
    db.execute("SET TimeZone = 'UTC'")
    db.execute(f"CREATE TABLE contacts AS {CONTACTS.format(data=data)}")
    db.execute(f"CREATE TABLE events AS {EVENTS.format(data=data)}")
    return db


def write_csv(data):
    """Both tables as files beside the data, for a database to copy in: contacts_typed.csv, events_typed.csv."""
    db = open_duckdb(data)
    for table, order in (("contacts", "id"), ("events", "ts")):
        db.execute(f"COPY (SELECT * FROM {table} ORDER BY {order}) TO '{data}/{table}_typed.csv' (HEADER false)")


# As somebody who owns the server would set them for queries of this kind.
POSTGRES_SETTINGS = ["SET search_path = typed", "SET work_mem = '64MB'"]


def postgres(data):
    """What makes both tables of these files in PostgreSQL."""
    return [
        "CREATE SCHEMA typed",
        """CREATE TABLE typed.contacts (id bigint PRIMARY KEY, consent smallint NOT NULL, country text NOT NULL,
            b2b smallint NOT NULL, tz text NOT NULL, birth integer NOT NULL, interests text NOT NULL)""",
        """CREATE TABLE typed.events (contact bigint NOT NULL, type smallint NOT NULL, ts bigint NOT NULL, amount integer,
            category smallint)""",
        *(rf"\copy typed.{table} FROM '{data}/{table}_typed.csv' (FORMAT csv)" for table in ("contacts", "events")),
        "CREATE INDEX ON typed.events (contact, type, ts, amount, category)",
        "CREATE INDEX ON typed.events (type, ts, contact, amount, category)",
        "VACUUM ANALYZE",
    ]
