"""Calls of a Python client: `calls.py MODULE URL KEY TAG COUNT GZIP PAUSE`.

MODULE is `segment.analytics` or `rudderstack.analytics`. Every call carries a mark of its own, TAG-0, TAG-1 …; the
last line names those that the client gave up.
"""

import importlib
import json
import sys
import time

module, url, key, tag, count, gzip, pause = sys.argv[1:]
failed = []
client = importlib.import_module(module + ".client").Client(
    key,
    host=url,
    gzip=gzip == "gzip",
    upload_size=7,
    upload_interval=0.1,
    max_retries=20,
    on_error=lambda error, batch: failed.append(str(error)),
)
user, visit = f"user-{tag}", f"visit-{tag}"
for number in range(int(count)):
    mark = f"{tag}-{number}"
    kind = number % 7
    if kind == 0:
        client.track(anonymous_id=visit, event="Product Viewed", properties={"mark": mark})
    elif kind == 1:
        client.identify(user, {"mark": mark, "plan": "pro", "email": f"{user}@shop.example"})
    elif kind == 2:
        client.track(user, "Order Completed", {"mark": mark, "total": 12.5, "note": "é 😀"})
    elif kind == 3:
        client.page(user, "Docs", "Pricing", {"mark": mark})
    elif kind == 4:
        client.screen(user, "App", "Home", {"mark": mark})
    elif kind == 5:
        client.group(user, "acct-9", {"mark": mark})
    else:
        client.alias(f"old-{mark}", user)
    time.sleep(float(pause))
client.identify(user, {"mark": f"{tag}-{count}"}, anonymous_id=visit)
client.flush()
client.join()
print(json.dumps(failed))
