#!/usr/bin/env python3
"""Checks this crate against independent peers: Python `websockets` and Node `ws`, as servers and as clients.

    run.py                        all four
    run.py node-server            one of them: {python,node}-{server,client}, named after the peer's part

The crate's side is the example `interop`; peer.py tells what is checked. A check that was not made fails the run.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from process import Failure, Program, build_examples, fail_on_signal  # noqa: E402

PAIRS = ["python-server", "python-client", "node-server", "node-client"]

# The peer's checks, by connection.
CONVERSATION = [
    "text",
    "binary",
    "empty text",
    "empty binary",
    "10 MiB binary",
    "10 MiB text",
    "fragmented text",
    "fragmented binary",
    "ping",
    "empty ping",
    "ping between fragments",
    "message around a ping",
    "no subprotocol",
    "answer to the peer's close",
]
CLOSING = ["subprotocol", "close from the crate"]

# What the crate's side prints, by connection: first, and last.
CONVERSATION_OURS = ("open -", "closed 4001 the peer's reason ✓ | clean, by the peer")
CLOSING_OURS = ("open superchat", "closed 4002 our reason ✓ | clean, by us")
EXPECTED = [*CONVERSATION, *CLOSING, *CONVERSATION_OURS, *CLOSING_OURS]

SECONDS = 90


def peer_command(language, name="peer"):
    """How the peer of this `name` is started; installs what it needs."""
    if language == "python":
        command = [HERE.parent / "venv.sh", "python3", HERE / "websockets.txt"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=900)
        if done.returncode != 0:
            raise Failure("Python's websockets could not be installed")
        return [done.stdout.strip() + "/bin/python", "-u", str(HERE / f"{name}.py")]
    if not shutil.which("npm"):
        raise Failure("no npm found: install Node.js 18 or later with npm")
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=HERE, check=True, timeout=300)
    return ["node", str(HERE / f"{name}.mjs")]


class Checks:
    """Compares what is printed with what has to come. The first line that is missing ends the run."""

    def __init__(self):
        self.passed = 0

    def peer(self, program, names):
        for name in names:
            self._check(name, program.expect(r"^(not )?ok .*", SECONDS)[0], f"ok {name}")

    def crate(self, program, *lines):
        for line in lines:
            self._check(f"the crate's end: {line}", program.expect(r"^(open|closed|error) .*", SECONDS)[0], line)

    def _check(self, name, actual, expected):
        if actual != expected:
            print(f"  NOT OK {name}: {actual}", flush=True)
        else:
            self.passed += 1
            print(f"  ok {name}", flush=True)


def peer_serves(checks, peer, crate):
    with Program(*peer, "serve") as server:
        url = server.expect(r"listening on (ws://\S+)")[1]
        for path, protocols, names, (first, last) in [
            ("/converse", [], CONVERSATION, CONVERSATION_OURS),
            ("/closing", ["chat", "superchat"], CLOSING, CLOSING_OURS),
        ]:
            with Program(crate, "connect", url + path, *protocols) as client:
                checks.crate(client, first)
                checks.peer(server, names)
                checks.crate(client, last)
                client.finish(SECONDS)


def peer_connects(checks, peer, crate):
    with Program(crate, "listen", "127.0.0.1:0") as server:
        url = server.expect(r"listening on (ws://\S+)")[1]
        with Program(*peer, "connect", url) as client:
            checks.peer(client, CONVERSATION + CLOSING)
            client.finish(SECONDS)
        checks.crate(server, *CONVERSATION_OURS, *CLOSING_OURS)


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

    passed = failed = 0
    for pair in arguments.pairs or PAIRS:
        language, _, part = pair.partition("-")
        print(f"interop with {pair}", flush=True)
        start = time.monotonic()
        checks = Checks()
        try:
            (peer_serves if part == "server" else peer_connects)(checks, peer_command(language), crate)
        except Failure as failure:
            print(f"  {failure}")
        print(f"  {checks.passed} of {len(EXPECTED)} checks passed in {time.monotonic() - start:.0f} s\n", flush=True)
        passed += checks.passed
        failed += len(EXPECTED) - checks.passed
    print(f"interop: {passed} of {passed + failed} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"interop: {failure}")
