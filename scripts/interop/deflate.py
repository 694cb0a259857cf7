#!/usr/bin/env python3
"""Checks permessage-deflate (RFC 7692) against Python `websockets`, Node `ws` and Chromium, by what is on the wire.

    deflate.py                  all pairs, with context takeover and without
    deflate.py node-server      one of them: {python,node}-{server,client}, chromium-client, named after the peer's part

The peer sends, the crate's side (the example `interop`) echoes, and a proxy between them keeps the bytes. A check that
was not made fails the run.
"""

import argparse
import http.server
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from process import Failure, Program, build_examples, fail_on_signal  # noqa: E402
from run import SECONDS, peer_command  # noqa: E402
from tap import Tap  # noqa: E402

PAIRS = ["python-server", "python-client", "node-server", "node-client", "chromium-client"]

# What the peer sends, in order. A page can't send fragments or pings.
MESSAGES = ["story", "story again", "fragments", "empty", "1 MiB pattern", "1 MiB noise"]
NOT_IN_A_PAGE = {"fragments", "ping"}

# What is seen on the wire, each way where that makes sense.
WIRE = [
    "what was negotiated",
    "the story is compressed by the peer",
    "the story is compressed by the crate",
    "RSV1 stands on the first frame of a message alone",
    "a pattern of 1 MiB takes less than 50 kB",
    "noise costs less than 1 kB more than it holds",
    "what came before is remembered by the peer, or forgotten",
    "what came before is remembered by the crate, or forgotten",
]

CHROMIUM = [
    "/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def peer_checks(language):
    names = [*MESSAGES, "ping", "close"]
    return [name for name in names if language != "chromium" or name not in NOT_IN_A_PAGE]


class Checks:
    """What held, and what did not."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, holds, found=""):
        if holds:
            self.passed += 1
            print(f"  ok {name}", flush=True)
        else:
            self.failed += 1
            print(f"  NOT OK {name}: {found}", flush=True)

    def peer(self, language, expect):
        for name in peer_checks(language):
            line = expect()
            self.check(name, line == f"ok {name}", line)

    def wire(self, language, takeover, client, server, crate_is_client):
        agreed = server.header("Sec-WebSocket-Extensions") or "nothing"
        extension, *parameters = [part.strip() for part in agreed.split(";")]
        forgets = {name for name in parameters if name.endswith("_no_context_takeover")}
        expected = set() if takeover else {"server_no_context_takeover", "client_no_context_takeover"}
        self.check(WIRE[0], extension == "permessage-deflate" and forgets == expected, agreed)

        crate, peer = (client, server) if crate_is_client else (server, client)
        names = [name for name in MESSAGES if name in peer_checks(language)]
        sent, echoed = (dict(zip(names, way.messages())) for way in (peer, crate))
        if [len(peer.messages()), len(crate.messages())] != [len(names)] * 2:
            raise Failure(f"{len(peer.messages())} messages were sent and {len(crate.messages())} came back")
        size = {"sent": {}, "echoed": {}}
        for key, messages in (("sent", sent), ("echoed", echoed)):
            size[key] = {name: sum(frame.length for frame in frames) for name, frames in messages.items()}
        self.check(WIRE[1], sent["story"][0].rsv == 4, sent["story"])
        self.check(WIRE[2], echoed["story"][0].rsv == 4, echoed["story"])
        wrong = [
            frame
            for way in (client, server)
            for frames in [*way.messages(), [None, *(frame for frame in way.frames if frame.opcode >= 8)]]
            for frame in frames[1:]
            if frame.rsv != 0
        ]
        self.check(WIRE[3], not wrong, wrong)
        self.check(WIRE[4], max(size[key]["1 MiB pattern"] for key in size) < 50_000, size)
        self.check(WIRE[5], max(size[key]["1 MiB noise"] for key in size) < (1 << 20) + 1000, size)
        for name, key in ((WIRE[6], "sent"), (WIRE[7], "echoed")):
            remembered = size[key]["story again"] < size[key]["story"] / 4
            self.check(name, remembered == takeover, size[key])


def flags(takeover):
    """The peer's, and the crate's."""
    return ([], ["--deflate=takeover"]) if takeover else (["--forget"], ["--deflate=no-takeover"])


def port_of(url):
    return urllib.parse.urlsplit(url).port


def peer_serves(checks, language, takeover, crate):
    theirs, ours = flags(takeover)
    with Program(*peer_command(language, "deflate_peer"), "serve", *theirs) as server:
        url = server.expect(r"listening on (ws://\S+)")[1]
        with Tap(port_of(url)) as tap, Program(crate, *ours, "connect", f"ws://127.0.0.1:{tap.port}/") as client:
            checks.peer(language, lambda: server.expect(r"^(not )?ok .*", SECONDS)[0])
            client.finish(SECONDS)
            checks.wire(language, takeover, *tap.connection(SECONDS), crate_is_client=True)


def peer_connects(checks, language, takeover, crate):
    theirs, ours = flags(takeover)
    with Program(crate, *ours, "listen", "127.0.0.1:0") as server:
        with Tap(port_of(server.expect(r"listening on (ws://\S+)")[1])) as tap:
            url = f"ws://127.0.0.1:{tap.port}/"
            if language == "chromium":
                with Page(url) as page:
                    checks.peer(language, page.line)
            else:
                with Program(*peer_command(language, "deflate_peer"), "connect", url, *theirs) as client:
                    checks.peer(language, lambda: client.expect(r"^(not )?ok .*", SECONDS)[0])
                    client.finish(SECONDS)
            checks.wire(language, takeover, *tap.connection(SECONDS), crate_is_client=False)


class Page:
    """Chromium with the page deflate_peer.html, and the lines that the page reports."""

    def __init__(self, url):
        lines = self._lines = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self._answer((HERE / "deflate_peer.html").read_bytes() if self.path.startswith("/?") else b"")

            def do_POST(self):
                lines.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self._answer(b"")

            def _answer(self, body):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        subprocess.run([HERE.parent / "apt.sh", "chromium"], check=True, timeout=600)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        page = f"http://127.0.0.1:{self._server.server_port}/?{urllib.parse.urlencode({'url': url})}"
        self._profile = tempfile.mkdtemp()
        self._chromium = Program(*CHROMIUM, f"--user-data-dir={self._profile}", page)

    def line(self):
        try:
            return self._lines.get(timeout=SECONDS)
        except queue.Empty:
            raise Failure(f"the page reported nothing in {SECONDS} s:\n{self._chromium.tail()}") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._chromium.stop()
        self._server.shutdown()
        self._server.server_close()
        shutil.rmtree(self._profile, ignore_errors=True)


def main():
    fail_on_signal()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", nargs="*", metavar="PAIR", help=f"any of {', '.join(PAIRS)} (default: all)")
    parser.add_argument("--crate", help="another program instead of the example `interop`")
    arguments = parser.parse_args()
    for pair in arguments.pairs:
        if pair not in PAIRS:
            parser.error(f"unknown pair {pair!r}: one of {', '.join(PAIRS)}")
    crate = arguments.crate or build_examples("interop", features="deflate")[0]

    passed = total = 0
    for pair in arguments.pairs or PAIRS:
        language, _, part = pair.partition("-")
        for takeover in (True, False):
            print(f"deflate with {pair}, {'with' if takeover else 'no'} context takeover", flush=True)
            start = time.monotonic()
            checks = Checks()
            wanted = len(peer_checks(language)) + len(WIRE)
            try:
                (peer_serves if part == "server" else peer_connects)(checks, language, takeover, crate)
            except (Failure, TimeoutError, ValueError) as failure:
                print(f"  {failure}")
            print(f"  {checks.passed} of {wanted} checks passed in {time.monotonic() - start:.0f} s\n", flush=True)
            passed += checks.passed
            total += wanted
    print(f"deflate: {passed} of {total} checks passed")
    return 1 if passed < total else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"deflate: {failure}")
