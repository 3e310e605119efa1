"""A mail server for tests, by aiosmtpd. Prints its port, then runs until standard input ends.

    aiosmtpd_server.py RECORD [RULE…]

What it does with a mail depends on the recipient's address:

    …refused-at-rcpt…   550 in answer to RCPT
    …refused-at-end…    550 in answer to the message
    …deferred-once…     451 in answer to the message, the first time; then it is taken
    anything else       taken

A rule such as `refused-at-rcpt=7/50` does the same with every customer-N@… whose number leaves the
remainder 7 when it is divided by 50; there, each message is deferred once, not each recipient.

Each answer to a recipient or to a message that decides about it is a line of JSON in the file RECORD,
written before it is given: step, code, recipient, sender, message_id, subject, size.
"""

import asyncio
import email
import email.policy
import json
import re
import sys

from aiosmtpd.smtp import SMTP


class Handler:
    def __init__(self, record, rules):
        self.record = open(record, "a", encoding="utf-8", buffering=1)
        self.rules = {}
        for rule in rules:
            word, remainder, divisor = re.fullmatch(r"([a-z-]+)=(\d+)/(\d+)", rule).groups()
            self.rules[word] = (int(remainder), int(divisor))
        self.deferred = set()

    def means(self, word, recipient):
        if word in recipient:
            return True
        number = re.match(r"customer-(\d+)@", recipient)
        remainder, divisor = self.rules.get(word, (None, 1))
        return number is not None and int(number[1]) % divisor == remainder

    def answer(self, text, step, envelope, recipient, **more):
        line = {
            "step": step,
            "code": int(text[:3]),
            "recipient": recipient,
            "sender": envelope.mail_from,
            **more,
        }
        self.record.write(json.dumps(line, ensure_ascii=False) + "\n")
        return text

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.means("refused-at-rcpt", address):
            return self.answer("550 5.1.1 no such user", "rcpt", envelope, address)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        [recipient] = envelope.rcpt_tos
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        more = {
            "message_id": message["Message-ID"],
            "subject": message["Subject"],
            "size": len(envelope.original_content),
        }
        text = "250 2.0.0 taken"
        if self.means("refused-at-end", recipient):
            text = "550 5.7.1 not wanted here"
        elif self.means("deferred-once", recipient):
            this = recipient if "deferred-once" in recipient else more["message_id"]
            if this not in self.deferred:
                self.deferred.add(this)
                text = "451 4.7.1 greylisted, try again"
        return self.answer(text, "end", envelope, recipient, **more)


async def main():
    handler = Handler(sys.argv[1], sys.argv[2:])
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
