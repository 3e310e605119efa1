"""Verifies DKIM signatures with dkimpy: for each mail of standard input, which of its signatures hold.

In: a JSON object with `records`, names in DNS to their texts, and `mails`, each in base64.
Out: a list for each mail, with the selector of each signature and whether it holds.
"""

import base64
import json
import sys

import dkim

asked = json.load(sys.stdin)


def record(name, timeout=5):
    text = asked["records"].get(name.decode().rstrip("."))
    return text and text.encode()


def holds(mail, place):
    try:
        return dkim.DKIM(mail).verify(idx=place, dnsfunc=record)
    except (dkim.DKIMException, ValueError):  # the latter: a signature of one algorithm, a key of the other
        return False


def signatures(mail):
    headers, _ = dkim.rfc822_parse(mail)
    own = [value for name, value in headers if name.lower() == b"dkim-signature"]
    selectors = [dkim.parse_tag_value(value)[b"s"].decode() for value in own]
    return [[selector, holds(mail, place)] for place, selector in enumerate(selectors)]


print(json.dumps([signatures(base64.b64decode(mail)) for mail in asked["mails"]]))
