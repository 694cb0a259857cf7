"""The peer's part of deflate.py, with Python's `websockets`; deflate_peer.mjs and .html are the same elsewhere.

    deflate_peer.py serve [--forget]          a server on a free port of 127.0.0.1, printed as "listening on URL"
    deflate_peer.py connect URL [--forget]    a client

Compression is on; with --forget no end keeps its window from one message to the next. The other end echoes.
"""

import asyncio
import random
import sys

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

FORGET = "--forget" in sys.argv
PARAMETERS = {"server_no_context_takeover": FORGET, "client_no_context_takeover": FORGET}
OPTIONS = {"max_size": 4 << 20, "open_timeout": 20, "close_timeout": 20, "compression": None}


async def echo(socket, name, message, expected=None):
    await socket.send(message)
    answer = await socket.recv()
    print(f"ok {name}" if answer == (expected or message) else f"not ok {name}: got {answer!r:.200}", flush=True)


async def converse(socket):
    """What deflate.py lists as MESSAGES, in its order."""
    story = " ".join(f'{{"id": {i * 7919 % 1009}, "name": "grüße {i * i % 97}"}}' for i in range(60))
    await echo(socket, "story", story)
    await echo(socket, "story again", story)
    await echo(socket, "fragments", [story[:100], "", story[100:1000], story[1000:]], story)
    await echo(socket, "empty", "")
    await echo(socket, "1 MiB pattern", bytes(range(256)) * 4096)
    await echo(socket, "1 MiB noise", random.Random(1).randbytes(1 << 20))
    await (await socket.ping(b"ping"))
    print("ok ping")
    await socket.close(4001, "done")
    print("ok close" if socket.close_code == 4001 else f"not ok close: {socket.close_code}", flush=True)


async def serve():
    extensions = [ServerPerMessageDeflateFactory(**PARAMETERS)]
    async with websockets.serve(converse, "127.0.0.1", 0, extensions=extensions, **OPTIONS) as server:
        print("listening on ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


async def connect(url):
    extensions = [ClientPerMessageDeflateFactory(**PARAMETERS, client_max_window_bits=True)]
    async with websockets.connect(url, extensions=extensions, proxy=None, **OPTIONS) as socket:
        await converse(socket)


if __name__ == "__main__":
    asyncio.run(serve() if sys.argv[1] == "serve" else connect(sys.argv[2]))
