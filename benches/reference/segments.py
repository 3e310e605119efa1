"""The ten segments of the benches, each said twice: as a condition, and in SQL that a person would write.

The SQL is the same for DuckDB, SQLite and PostgreSQL. It reads two tables with typed columns:

    contacts (id, consent, country, b2b, tz, birth, interests)     birth: 19900315; interests: ",garden,tennis,"
    events (contact, type, ts, amount, category)                   ts: seconds; amount: cents; type: see KINDS

`ten()` and `hundred()` give {name: (condition, SQL)}; the hundred are the ten, each with ten bounds.
Where a query compares with ranks it names their bounds in braces: see `ranks`.

usage: segments.py ten|hundred FOLDER     writes FOLDER/segments.yaml (JSON, which is YAML)
"""

import json
import pathlib
import sys

NOW = 1793491200  # 2026-11-01T00:00:00Z
DAY = 86400
KINDS = ["purchase", "page_view", "email_sent", "email_opened", "link_click", "cart_add", "form_submit"]
PURCHASE, PAGE_VIEW, SENT, OPENED, CLICK = 1, 2, 3, 4, 5
POINTS = {"purchase": 20, "page_view": 1, "link_click": 5, "cart_add": 5, "form_submit": 10}
# At midnight in UTC it is still the day before in America.
TODAY = "CASE WHEN tz LIKE 'America/%' THEN 20261031 ELSE 20261101 END"
PURCHASES = f"FROM events WHERE type = {PURCHASE} AND ts <= {NOW}"
# What the three ranks are of; contacts who never bought are in none.
RANKED = {"last_purchase": "max(ts)", "purchases": "count(*)", "spend": "sum(amount)"}


def since(window):
    """Where a window begins. In these the clocks of all zones of the data show the same as now."""
    calendar = {"12 months": 1761955200, "24 months": 1730419200}
    return calendar[window] if window in calendar else NOW - int(window.split()[0]) * DAY


def best(window="12 months", times=5, total=1000):
    return (
        {"did": "purchase", "within": window, "times": {"at_least": times}, "total": {"amount": {"more_than": total}}},
        f"""SELECT contact {PURCHASES} AND ts > {since(window)}
            GROUP BY contact HAVING sum(amount) > {total * 100} AND count(*) >= {times}""",
    )


def quiet(older=90, within=180):
    return (
        {"did": "purchase", "last_at": {"older_than": f"{older} days", "within": f"{within} days"}},
        f"""SELECT contact {PURCHASES} GROUP BY contact
            HAVING max(ts) <= {NOW - older * DAY} AND max(ts) > {NOW - within * DAY}""",
    )


def clicked(days=30):
    window = f"{days} days"
    return (
        {"all": [{"did": "link_click", "within": window}, {"did_not": "purchase", "within": window}]},
        f"""SELECT DISTINCT contact FROM events WHERE type = {CLICK} AND ts > {since(window)} AND ts <= {NOW}
            AND contact NOT IN (SELECT contact {PURCHASES} AND ts > {since(window)})""",
    )


def browsing(category=0, times=3, days=7):
    window = f"{days} days"
    return (
        {"did": "page_view", "where": {"category": str(category)}, "within": window, "times": {"at_least": times}},
        f"""SELECT contact FROM events
            WHERE type = {PAGE_VIEW} AND category = {category} AND ts > {since(window)} AND ts <= {NOW}
            GROUP BY contact HAVING count(*) >= {times}""",
    )


def big_baskets(average=80):
    return (
        {"did": "purchase", "average": {"amount": {"more_than": average}}},
        f"SELECT contact {PURCHASES} GROUP BY contact HAVING avg(amount) > {average * 100}",
    )


def champions(share=20):
    ranked = [{"ranked": {"trait": trait, "top": f"{share}%"}} for trait in RANKED]
    reach = " AND ".join(f"{value} >= {{{trait}_{share}}}" for trait, value in RANKED.items())
    return {"all": ranked}, f"SELECT contact {PURCHASES} GROUP BY contact HAVING {reach}"


def french_tennis(country="FR", interest="tennis", ages=(25, 40)):
    low, high = ages
    return (
        {"attribute": {"country": country, "interests": interest, "birth_date": {"age": {"between": [low, high]}}}},
        f"""SELECT id FROM contacts WHERE country = '{country}' AND interests LIKE '%,{interest},%'
            AND {TODAY} - birth BETWEEN {low * 10_000} AND {high * 10_000 + 9_999}""",
    )


def asleep(last=10):
    # Nothing follows any of the last mails just when nothing follows the first of them.
    return (
        {"did": "email_sent", "last": last, "then_not": {"did": "email_opened"}, "times": last},
        f"""WITH mails AS (SELECT contact, ts, row_number() OVER (PARTITION BY contact ORDER BY ts DESC) AS n
                FROM events WHERE type = {SENT} AND ts <= {NOW}),
            opens AS (SELECT contact, max(ts) AS ts FROM events WHERE type = {OPENED} AND ts <= {NOW} GROUP BY contact)
            SELECT mails.contact FROM mails LEFT JOIN opens ON opens.contact = mails.contact
            WHERE mails.n = {last} AND (opens.ts IS NULL OR opens.ts <= mails.ts)""",
    )


def warm_b2b(points=20):
    worth = " ".join(f"WHEN {KINDS.index(kind) + 1} THEN {worth}" for kind, worth in POINTS.items())
    return (
        {"all": [{"attribute": {"b2b": True}}, {"score": {"warmth": {"more_than": points}}}]},
        f"""SELECT contact FROM events WHERE ts > {since("90 days")} AND ts <= {NOW}
            AND contact IN (SELECT id FROM contacts WHERE b2b = 1)
            GROUP BY contact HAVING sum(CASE type {worth} ELSE 0 END) > {points}""",
    )


def never_bought(within=None):
    window = {"within": f"{within} days"} if within else {}
    also = f"AND ts > {since(window['within'])}" if within else ""
    return (
        {"all": [{"consent": {"marketing": "yes"}}, {"did_not": "purchase", **window}]},
        f"SELECT id FROM contacts WHERE consent = 1 AND id NOT IN (SELECT contact {PURCHASES} {also})",
    )


TEN = [best, quiet, clicked, browsing, big_baskets, champions, french_tennis, asleep, warm_b2b, never_bought]
COUNTRIES = ["FR", "DE", "US", "GB", "ES", "IT", "BE", "CH", "CA", "NL"]
# Nine other bounds each.
OTHERS = {
    best: [("24 months", 5, 1000), ("24 months", 3, 500), ("12 months", 3, 500), ("12 months", 2, 200),
           ("90 days", 2, 100), ("180 days", 3, 300), ("270 days", 4, 400), ("30 days", 1, 50), ("365 days", 8, 2000)],
    quiet: [(30, 60), (60, 90), (90, 120), (120, 180), (180, 270), (180, 365), (270, 365), (365, 540), (30, 365)],
    clicked: [(days,) for days in (7, 14, 21, 45, 60, 90, 120, 180, 365)],
    browsing: [(1, 3, 7), (2, 2, 7), (3, 2, 14), (4, 2, 14), (0, 5, 30), (1, 3, 30), (5, 1, 7), (6, 1, 7), (0, 2, 3)],
    big_baskets: [(average,) for average in (20, 30, 40, 50, 60, 100, 120, 150, 200)],
    champions: [(share,) for share in (1, 2, 5, 10, 15, 25, 30, 40, 50)],
    french_tennis: [(country, interest, (age, age + 20)) for country, interest, age in zip(
        COUNTRIES, ["football", "cooking", "travel", "music", "cinema", "garden", "tech", "running", "wine"],
        range(18, 63, 5))],
    asleep: [(last,) for last in (2, 3, 4, 5, 6, 8, 12, 15, 20)],
    warm_b2b: [(points,) for points in (0, 5, 10, 15, 30, 40, 50, 60, 80)],
    never_bought: [(days,) for days in (30, 60, 90, 120, 180, 270, 365, 500, 600)],
}


def ten():
    return {segment.__name__: segment() for segment in TEN}


def hundred():
    return ten() | {
        f"{segment.__name__}_{number}": segment(*bounds)
        for segment, others in OTHERS.items() for number, bounds in enumerate(others, 1)
    }


def six():
    """Of the ten, those of benches/project."""
    return {segment.__name__: segment() for segment in (best, quiet, clicked, browsing, big_baskets, never_bought)}


SETS = {"six": six, "ten": ten, "hundred": hundred}


def ranks(one):
    """The bounds of all ranks, as `one`, which gives the only value of a query, finds them; ties are in."""
    bounds = {}
    buyers = one(f"SELECT count(DISTINCT contact) {PURCHASES}")
    for share in [20] + [share for (share,) in OTHERS[champions]]:
        place = -(-buyers * share // 100)
        for trait, value in RANKED.items():
            bounds[f"{trait}_{share}"] = one(
                f"SELECT {value} AS value {PURCHASES} GROUP BY contact ORDER BY value DESC LIMIT 1 OFFSET {place - 1}")
    return bounds


def queries(which, bounds):
    """The SQL of a set by the segments' names, sorted; `bounds` as `ranks` gives them."""
    return {name: sql.format(**bounds) for name, (_, sql) in sorted(SETS[which]().items())}


def declare(which, folder):
    """Writes the set as declarations."""
    segments = {name: {"match": condition} for name, (condition, _) in SETS[which]().items()}
    pathlib.Path(folder, "segments.yaml").write_text(json.dumps({"segments": segments}, indent=1))


if __name__ == "__main__":
    declare(*sys.argv[1:3])
