"""The chat's server as a program, and a conversation on it of which nothing may be missing anywhere."""

import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from browser import ENTER  # noqa: E402
from process import Failure, Program  # noqa: E402

# What stands in a page, as who said what.
SHOWN = """return [...document.querySelectorAll('#messages > .said[data-seq]')].map((item) =>
    [Number(item.dataset.seq), item.dataset.nick, item.querySelector('.bubble').textContent])"""
WAITING = "return document.querySelectorAll('#messages > .pending').length"
ENTERED = "return !document.getElementById('hall').hidden"
BANNER = "return !document.getElementById('banner').hidden && document.getElementById('banner').textContent"


class Chat:
    """The server, and how to restart it at the same address."""

    def __init__(self, program, database):
        self._program = program
        self._database = database
        self._address = "127.0.0.1:0"
        self._server = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._server.stop()

    def start(self):
        environment = {"DATABASE_URL": self._database.url}
        self._server = Program(self._program, "--listen", self._address, env=environment)
        self._address = self._server.expect(r"chat on http://(\S+)")[1]
        self.url = f"http://{self._address}"
        self.socket = f"ws://{self._address}/chat"

    def stop(self, end=Program.terminate):
        """As a service manager would, unless told. It has to end by itself, and to say that everything is logged."""
        end(self._server)
        self._server.finish(20)
        self._server.expect(r"\d+ people were told, 0 cut off; everything is logged")

    def terminal(self, nick, room):
        command = [self._program, "--join", nick, room, "--server", self.socket]
        return Program(*command, stdin=subprocess.PIPE)


class Talk:
    """A conversation, of which everything has to be found again everywhere, once."""

    def __init__(self, room, pages, terminal):
        self.room = room
        self.pages = pages
        self.terminal = terminal
        self.said = []

    def say(self, who, text):
        self.said.append(text)
        if who is self.terminal:
            who.write(text + "\n")
        else:
            who.type("#text", text + ENTER)

    def settle(self, seconds=30):
        """Waits until everybody has everything; then compares."""
        for page in self.pages:
            page.wait(f"all of {len(self.said)} messages", f"""{SHOWN.replace('return', 'const shown =')};
                return shown.length >= arguments[0] && document.querySelectorAll('#messages > .pending').length === 0""",
                      len(self.said), seconds=seconds)
        deadline = time.monotonic() + seconds
        while len(self.heard()) < len(self.said) and time.monotonic() < deadline:
            time.sleep(0.05)
        views = {page.name: [text for _, _, text in page.run(SHOWN)] for page in self.pages}
        views["terminal"] = self.heard()
        for name, texts in views.items():
            if sorted(texts) != sorted(self.said):
                raise Failure(f"{name} has {texts}, and said was {self.said}")
            if texts != views["terminal"]:
                raise Failure(f"{name} has another order than the terminal: {texts}, {views['terminal']}")

    def heard(self):
        lines = [re.match(r"\d\d:\d\dZ \S+: (.*)\n", line) for line in self.terminal.lines]
        return [line[1] for line in lines if line]


def enter(page, url, nick, room):
    page.open(f"{url}/#{room}")
    page.wait("the door", "return document.getElementById('nick') !== null")
    page.type("#nick", nick + ENTER)
    page.wait("coming in", ENTERED)
