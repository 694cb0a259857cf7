#!/usr/bin/env python3
"""The chat, end to end: pages in Chromium and a terminal in one room, on SQLite and on MariaDB, and then a crowd.

    scripts/chat/run.py                          what the gate runs
    scripts/chat/run.py --crowd 500 20 60        with a crowd of 500 in 20 rooms for 60 s
    scripts/chat/run.py --pictures               makes the pictures in examples/chat/docs anew, and nothing else
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "scripts" / "chat")]

from browser import Driver  # noqa: E402
from conversation import conversation, pictures  # noqa: E402
from database import MariaDb, Sqlite  # noqa: E402
from process import Failure, Program, fail_on_signal  # noqa: E402
from room import Chat  # noqa: E402

DOCS = ROOT / "examples" / "chat" / "docs"


def build():
    command = ["cargo", "build", "--package", "chat", "--bins", "--examples",
               "--message-format=json-render-diagnostics"]
    print("$", " ".join(command), flush=True)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=1200)
    if done.returncode != 0:
        raise Failure(f"cargo build ended with status {done.returncode}")
    built = {}
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] in ("chat", "crowd"):
            built[message["target"]["name"]] = message["executable"]
    return built["chat"], built["crowd"]


def package_tests():
    """Runs what `cargo test` knows of the package, and returns how many tests passed."""
    done = subprocess.run(["cargo", "test", "--package", "chat"], stdout=subprocess.PIPE, text=True, timeout=1200)
    print(done.stdout, flush=True)
    passed = sum(map(int, re.findall(r"test result: ok. (\d+) passed; 0 failed", done.stdout)))
    if done.returncode != 0 or passed == 0:
        raise Failure("the tests of the package failed, or there were none")
    return passed


def crowd(program, crowd_program, database, numbers):
    """A crowd, and the account of it beside what the log has."""
    users, rooms, seconds = numbers
    with Chat(program, database) as chat:
        with Program(crowd_program, chat.socket, *map(str, numbers)) as people:
            people.finish(seconds + 120)
            line = people.lines[-1].strip()
        chat.stop()
    match = re.match(r"(\d+) users in (\d+) rooms: (\d+) said, (\d+) acknowledged, (\d+) numbers given, (\d+) received, "
                     r"(\d+) connections broken, 0 faults", line)
    if not match or (int(match[1]), int(match[2])) != (users, rooms):
        raise Failure(f"the crowd counted: {line}")
    said, acknowledged, given = int(match[3]), int(match[4]), int(match[5])
    ((rows, names),) = database.rows("SELECT COUNT(*), COUNT(DISTINCT id) FROM messages WHERE room LIKE 'crowd-%'")
    if not said == acknowledged == given == int(rows) == int(names):
        raise Failure(f"{line}; the log has {rows} messages, {names} different ones")
    print(f"  {database.name}: {line}; {rows} in the log, each once, in {seconds} s", flush=True)
    return said, int(match[6])


def main():
    fail_on_signal()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--crowd", nargs=3, type=int, default=[500, 20, 15], metavar=("USERS", "ROOMS", "SECONDS"))
    parser.add_argument("--no-tests", action="store_true", help="without the package's own tests")
    parser.add_argument("--only", choices=["sqlite", "mariadb"], help="one database alone")
    parser.add_argument("--pictures", action="store_true", help="make the pictures, and nothing else")
    options = parser.parse_args()
    subprocess.run([ROOT / "scripts" / "apt.sh", "chromium", "chromium-driver", "mariadb-server"], check=True, timeout=1200)
    program, crowd_program = build()

    if options.pictures:
        with tempfile.TemporaryDirectory() as folder, Driver() as driver:
            return pictures(program, folder, driver, DOCS)

    passed = 0 if options.no_tests else package_tests()
    steps, counts = 0, []
    for kind in Sqlite, MariaDb:
        if options.only not in (None, kind.name.lower()):
            continue
        with tempfile.TemporaryDirectory() as folder, kind(folder) as database:
            with Driver() as driver:
                steps += conversation(program, database, driver)
            counts.append((kind.name, *crowd(program, crowd_program, database, options.crowd)))
    users, rooms, seconds = options.crowd
    crowds = ", ".join(f"{said} messages received {received} times on {name}" for name, said, received in counts)
    print(f"chat: {passed} tests; {steps} steps in Chromium and a terminal; {users} users in {rooms} rooms for {seconds} s: "
          f"{crowds}; nothing lost, nothing twice")


if __name__ == "__main__":
    os.chdir(ROOT)
    try:
        main()
    except (Failure, subprocess.SubprocessError) as failure:
        sys.exit(f"chat: {failure}")
