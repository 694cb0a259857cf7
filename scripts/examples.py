#!/usr/bin/env python3
"""Runs each of the crate's examples as its reader would, and checks what it prints.

Every file in examples/ has an entry here, or a part of the gate that drives it; one that has neither fails, and so
does one of more than 60 lines of code.
"""

import argparse
import hashlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from process import Failure, Program, build_examples, fail_on_signal  # noqa: E402

LINES_OF_CODE = 60

# Examples that run by themselves, with what their output has to hold.
ALONE = {
    "echo": r"\b1\d\d\d\b.*$",
    "duplex": r"\S",
    "json_rpc": r"Number\(2\)",
    "byte_stream": r"\b1\d\d\d\b.*$",
    "split": r"\S",
}

# The features that they need beside the default ones.
FEATURES = {"json_rpc": "json"}

# Examples that other parts of the gate drive.
DRIVEN_ELSEWHERE = {
    "autobahn_client": "autobahn",
    "interop": "interop",
}


def lines_of_code(path):
    lines = [line.strip() for line in path.read_text().splitlines()]
    return sum(1 for line in lines if line and not line.startswith("//"))


def run_alone(name):
    command = ["cargo", "run", "--quiet", "--example", name]
    if name in FEATURES:
        command += ["--features", FEATURES[name]]
    print("$", " ".join(command), flush=True)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=300)
    print(done.stdout, end="", flush=True)
    if done.returncode != 0:
        raise Failure(f"the example {name} ended with status {done.returncode}")
    if not re.search(ALONE[name], done.stdout.rstrip().rpartition("\n")[2]):
        raise Failure(f"the example {name} did not end with a line that matches {ALONE[name]!r}")


def client_and_servers():
    """Lines go out, come back, and the client closes: at the end of its input, and at ctrl-c."""
    echo_server, client_program, axum = build_examples("echo_server", "client", "axum", features="axum")
    for server_program, *form in [echo_server], [echo_server, "--split"], [axum]:
        with Program(server_program, "127.0.0.1:0", *form) as server:
            url = server.expect(r"listening on (ws://127\.0\.0\.1:[1-9]\d*)")[1]
            for end in Program.end_input, Program.interrupt:
                against = " ".join([pathlib.Path(server_program).name, *form])
                print(f"$ client {url}    # against {against}, ended by {end.__name__}", flush=True)
                with Program(client_program, url, stdin=subprocess.PIPE) as client:
                    for line in ["hello", "grüße 🎈"]:
                        client.write(line + "\n")
                        client.expect(re.escape(line))
                    end(client)
                    client.finish(10)
                    print("".join(client.lines), end="", flush=True)
            if not server.running():
                raise Failure(f"the server ended:\n{server.tail()}")


def hooks():
    """A ping is answered, each hook prints, and ctrl-c closes who is still there."""
    server_program, client_program = build_examples("hooks", "client")
    with Program(server_program) as server:
        url = server.expect(r"listening on (ws://127\.0\.0\.1:[1-9]\d*/chat)")[1]
        with Program(client_program, url, stdin=subprocess.PIPE) as client:
            client.write("ping\n")
            client.expect("pong")
            server.interrupt()
            server.finish(15)
            client.finish(10)
        lines = "".join(server.lines)
        print(lines, end="", flush=True)
        for line in ["upgrading /chat", "open: 127.0.0.1:", "message: ping", "close(1001", "1 peers closed, 0 cut off"]:
            if line not in lines:
                raise Failure(f"the server did not print {line!r}")


def json():
    """Maps go both ways; each end says what was wrong; ctrl-c at either end closes with its code."""
    program, client_program = build_examples("json", "client", features="json")
    with Program(program, "server", "127.0.0.1:0") as server:
        url = server.expect(r"listening on (ws://127\.0\.0\.1:[1-9]\d*)")[1]
        with Program(program, "client", url) as client:
            for _ in range(2):
                server.expect(r'127\.0\.0\.1:\d+ -- \{"data": "from client at \d+ s"\}')
                client.expect(r'^-- \{"data": "from server at \d+ s"\}')
            client.interrupt()
            client.finish(10)
            client.expect(r"^\[\+\] 1000")
            server.expect(r"^\[\+\] 127\.0\.0\.1:\d+: 1000.*ctrl-c")
        with Program(client_program, url, stdin=subprocess.PIPE) as stranger:
            stranger.write("no json\n")
            server.expect(r"^\[!\] .*the hook `message` failed: expected ident")
            stranger.finish(10)
        with Program(program, "client", url) as client:
            client.expect("from server")
            server.interrupt()
            server.finish(15)
            client.finish(10)
            client.expect(r"^\[\+\] 1001")
        print("".join(server.lines), end="", flush=True)
    for command, said in [(["client", url], "refused"), (["server", "192.0.2.1:80"], "address"), ([], "say `server`")]:
        done = subprocess.run([program, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        if done.returncode == 0 or said not in done.stderr.lower():
            raise Failure(f"json {command} ended with status {done.returncode}: {done.stderr}")


def axum():
    """The chat carries a line from one client to the other, and both are told when the server stops."""
    server_program, client_program = build_examples("axum", "client", features="axum")
    with Program(server_program, "127.0.0.1:0") as server:
        url = server.expect(r"listening on (ws://127\.0\.0\.1:[1-9]\d*)")[1] + "/chat"
        with (
            Program(client_program, url, stdin=subprocess.PIPE) as one,
            Program(client_program, url, stdin=subprocess.PIPE) as other,
        ):
            for client in one, other:
                client.expect("welcome")
            one.write("hello\n")
            other.expect("hello")
            server.interrupt()
            server.expect("2 peers closed, 0 cut off", 15)
            server.finish(15)
            for client in one, other:
                client.finish(10)
                if "1001" not in "".join(client.lines):
                    raise Failure(f"the client was not told 1001:\n{client.tail()}")


def tunnel(mebibytes):
    """Bytes go into the tunnel's client, out of its server, are echoed by TCP, and come back as they were."""
    (program,) = build_examples("tunnel", release=mebibytes > 64)
    target = socket.create_server(("127.0.0.1", 0))

    def echo():
        connection, _ = target.accept()
        with connection:
            while piece := connection.recv(1 << 18):
                connection.sendall(piece)

    port = target.getsockname()[1]
    threading.Thread(target=echo, daemon=True).start()
    with (
        target,
        Program(program, "server", "127.0.0.1:0", f"127.0.0.1:{port}") as server,
    ):
        address = server.expect(r"listening on (\S+)")[1]
        with Program(program, "client", "127.0.0.1:0", f"ws://{address}") as client:
            host, port = client.expect(r"listening on (\S+):(\d+)").groups()
            with socket.create_connection((host, int(port)), timeout=60) as connection:
                sent, received = hashlib.sha256(), hashlib.sha256()
                random_bytes = os.urandom(1 << 20)

                def send():
                    for number in range(mebibytes):
                        # Not the same twice: nothing may be lost, doubled or swapped.
                        piece = number.to_bytes(8, "big") + random_bytes[8:]
                        sent.update(piece)
                        connection.sendall(piece)

                sender = threading.Thread(target=send, daemon=True)
                start = time.monotonic()
                sender.start()
                left = mebibytes << 20
                while left:
                    piece = connection.recv(min(left, 1 << 18))
                    if not piece:
                        raise Failure(f"the tunnel ended {left} bytes early:\n{client.tail()}\n{server.tail()}")
                    received.update(piece)
                    left -= len(piece)
                took = time.monotonic() - start
                sender.join(timeout=60)
                if sent.digest() != received.digest():
                    raise Failure("what came back through the tunnel is not what was sent")
            count = mebibytes << 20
            for end in client, server:
                end.expect(rf"{count} bytes there, {count} back")
    print(f"tunnel: {mebibytes} MiB there and back unharmed, in {took:.1f} s", flush=True)


def main():
    fail_on_signal()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tunnel", type=int, metavar="MIB", help="only the tunnel, with so many MiB each way")
    if size := parser.parse_args().tunnel:
        return tunnel(size)
    files = sorted([*(ROOT / "examples").glob("*.rs"), *(ROOT / "examples").glob("*/*.rs")])
    names = {path.stem if path.parent.name == "examples" else path.parent.name for path in files}
    checked = {*ALONE, *DRIVEN_ELSEWHERE, "axum", "client", "echo_server", "hooks", "json", "tunnel"}
    if unchecked := set(names) - checked:
        raise Failure(f"nothing runs {sorted(unchecked)}: say in scripts/examples.py how")
    if missing := checked - set(names):
        raise Failure(f"there is no example {sorted(missing)}")
    for path in files:
        count = lines_of_code(path)
        name = path.relative_to(ROOT / "examples")
        print(f"{name}: {count} lines of code")
        if count > LINES_OF_CODE:
            raise Failure(f"examples/{name} is longer than {LINES_OF_CODE} lines of code")

    for name in ALONE:
        run_alone(name)
    client_and_servers()
    hooks()
    axum()
    json()
    tunnel(16)
    print(f"examples: {len(names)}, of which {len(ALONE) + 6} run here, none over {LINES_OF_CODE} lines of code")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"examples: {failure}")
