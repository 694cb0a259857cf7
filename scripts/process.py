"""Programs that a check starts: bounded waits, output kept, ended by process id whatever happens."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time


class Failure(Exception):
    """What went wrong, in words for the log of CI."""


def fail_on_signal():
    """Lets a `timeout` from outside end this process by way of its `finally` clauses."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def build_examples(*names, features="", release=False):
    """Builds the crate's examples and returns the path of each."""
    command = ["cargo", "build", "--message-format=json-render-diagnostics"]
    if features:
        command += ["--features", features]
    if release:
        command.append("--release")
    for name in names:
        command += ["--example", name]
    print("$", " ".join(command), flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=1200)
    if done.returncode != 0:
        raise Failure(f"cargo build ended with status {done.returncode}")
    built = {}
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["kind"] == ["example"]:
            built[message["target"]["name"]] = message["executable"]
    return [built[name] for name in names]


class Program:
    """A running program. As a context manager it has ended when the block is left."""

    def __init__(self, *command, stdin=subprocess.DEVNULL, cwd=None, env=None):
        self.name = " ".join(os.path.basename(part) for part in command)[:60]
        self.lines = []
        self._unread = queue.Queue()
        self._process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=cwd,
            env=None if env is None else {**os.environ, **env},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self.lines.append(line)
            self._unread.put(line)
        self._unread.put(None)

    def expect(self, pattern, seconds=30):
        """Waits for an output line that matches `pattern`, and returns the match. Other lines are passed over."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._unread.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise Failure(f"{self.name} printed no {pattern!r} in {seconds} s") from None
            if line is None:
                raise Failure(f"{self.name} ended before it printed {pattern!r}:\n{self.tail()}")
            if match := re.search(pattern, line):
                return match

    def write(self, text):
        """Writes to the program's standard input."""
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def end_input(self):
        """Ends the program's standard input."""
        self._process.stdin.close()

    def running(self):
        return self._process.poll() is None

    def finish(self, seconds):
        """Waits until the program ends by itself; fails unless its status is 0."""
        try:
            status = self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end in {seconds} s:\n{self.tail()}") from None
        self._reader.join(timeout=5)
        if status != 0:
            raise Failure(f"{self.name} ended with status {status}:\n{self.tail()}")

    def tail(self, count=15):
        """The last lines of output, for a message."""
        return "".join("    | " + line for line in self.lines[-count:])

    def interrupt(self):
        """What ctrl-c does."""
        self.signal(signal.SIGINT)

    def terminate(self):
        """What a service manager does first."""
        self._process.terminate()

    def signal(self, number):
        self._process.send_signal(number)

    def stop(self):
        """Ends this one process: asked first, then killed."""
        if self.running():
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(timeout=5)
        self._reader.join(timeout=5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
