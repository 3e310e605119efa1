"""Hands bytes on between ports, each way so much later.

usage: delay.py LISTEN_PORT TARGET_PORT MILLISECONDS
"""

import asyncio
import sys


async def hand_on(reader, writer, delay):
    """What is read is written `delay` seconds later; the end, too."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue()

    async def write():
        while True:
            due, data = await queue.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                return writer.close()
            writer.write(data)

    writing = asyncio.create_task(write())
    data = True
    while data:
        try:
            data = await reader.read(1 << 16)
        except ConnectionError:
            data = b""
        queue.put_nowait((loop.time() + delay, data))
    await writing


async def main():
    listen, target, milliseconds = map(int, sys.argv[1:])

    async def accepted(reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        delay = milliseconds / 1000
        await asyncio.gather(hand_on(reader, far_writer, delay), hand_on(far_reader, writer, delay))

    server = await asyncio.start_server(accepted, "127.0.0.1", listen)
    await server.serve_forever()


asyncio.run(main())
