"""The checks of an independent peer, with Python's `websockets`; peer.mjs is the same with Node's `ws`.

    peer.py serve          a server on a free port of 127.0.0.1, printed as "listening on URL"
    peer.py connect URL    a client

The other end echoes messages, and closes when it is told "close CODE REASON". Each check that held is printed as
"ok NAME"; run.py knows the names that have to come.
"""

import asyncio
import sys

import websockets

MEBIBYTE = 1 << 20
OPTIONS = {"max_size": 16 * MEBIBYTE, "open_timeout": 20, "close_timeout": 20}
CLIENT_OPTIONS = OPTIONS | {"proxy": None}


def check(name, actual, expected):
    if actual != expected:
        print(f"not ok {name}: got {actual!r:.200}, expected {expected!r:.200}")
    else:
        print(f"ok {name}", flush=True)


async def echo(socket, name, message, expected=None):
    await socket.send(message)
    check(name, await socket.recv(), message if expected is None else expected)


async def converse(socket):
    """Messages of all kinds, then a close that this end begins."""
    await echo(socket, "text", "grüße 🎈")
    await echo(socket, "binary", bytes(range(256)))
    await echo(socket, "empty text", "")
    await echo(socket, "empty binary", b"")
    await echo(socket, "10 MiB binary", bytes(range(256)) * (10 * MEBIBYTE // 256))
    await echo(socket, "10 MiB text", "äöüß€🎈 " * (10 * MEBIBYTE // 16))
    await echo(socket, "fragmented text", ["in ", "", "three ", "parts"], "in three parts")
    await echo(socket, "fragmented binary", [b"\x00", b"\xff" * 70_000], b"\x00" + b"\xff" * 70_000)

    # `ping` resolves only when a pong with this very payload has come.
    await (await socket.ping(b"ping \x00\xff payload"))
    print("ok ping")
    await (await socket.ping(b""))
    print("ok empty ping")

    async def pinging():
        yield "before "
        await (await socket.ping(b"between fragments"))
        print("ok ping between fragments")
        yield "after"

    await echo(socket, "message around a ping", pinging(), "before after")

    check("no subprotocol", socket.subprotocol, None)
    await socket.close(4001, "the peer's reason ✓")
    check("answer to the peer's close", (socket.close_code, socket.close_reason), (4001, "the peer's reason ✓"))


async def be_closed(socket):
    """A subprotocol, then a close that the other end begins."""
    check("subprotocol", socket.subprotocol, "superchat")
    await socket.send("close 4002 our reason ✓")
    try:
        await socket.recv()
    except websockets.ConnectionClosed:
        pass
    check("close from the crate", (socket.close_code, socket.close_reason), (4002, "our reason ✓"))


async def serve():
    async def handler(socket):
        await (converse(socket) if socket.request.path == "/converse" else be_closed(socket))

    def choose(_, offers):
        # This server's favourite is the client's second.
        return next((favourite for favourite in ["superchat", "chat"] if favourite in offers), None)

    async with websockets.serve(handler, "127.0.0.1", 0, select_subprotocol=choose, **OPTIONS) as server:
        print("listening on ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


async def connect(url):
    async with websockets.connect(url, **CLIENT_OPTIONS) as socket:
        await converse(socket)
    async with websockets.connect(url, subprotocols=["unknown", "superchat", "chat"], **CLIENT_OPTIONS) as socket:
        await be_closed(socket)


if __name__ == "__main__":
    asyncio.run(serve() if sys.argv[1] == "serve" else connect(sys.argv[2]))
