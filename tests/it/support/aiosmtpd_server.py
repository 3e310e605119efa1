"""A mail server for tests, by aiosmtpd. Prints its port, then runs until standard input ends.

What it does with a mail depends on the recipient's address:

    …refused-at-rcpt…   550 in answer to RCPT
    …refused-at-end…    550 in answer to the message
    …deferred-once…     451 in answer to the message, the first time; then it is taken
    anything else       taken

Each mail that was taken is a line of JSON in the file that is named as the first argument, written
before it is answered: recipient, sender, message_id, size.
"""

import asyncio
import email
import json
import sys

from aiosmtpd.smtp import SMTP


class Handler:
    def __init__(self, path):
        self.taken = open(path, "a", encoding="utf-8", buffering=1)
        self.deferred = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if "refused-at-rcpt" in address:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        recipient = envelope.rcpt_tos[0]
        if "refused-at-end" in recipient:
            return "550 5.7.1 not wanted here"
        if "deferred-once" in recipient and recipient not in self.deferred:
            self.deferred.add(recipient)
            return "451 4.7.1 greylisted, try again"
        message = email.message_from_bytes(envelope.original_content)
        line = {
            "recipient": recipient,
            "sender": envelope.mail_from,
            "message_id": message["Message-ID"],
            "size": len(envelope.original_content),
        }
        self.taken.write(json.dumps(line, ensure_ascii=False) + "\n")
        return "250 2.0.0 taken"


async def main():
    handler = Handler(sys.argv[1])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, enable_SMTPUTF8=True, hostname="aiosmtpd.example", loop=loop),
        "127.0.0.1",
        0,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    # Ends with the test, even if that is killed.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
