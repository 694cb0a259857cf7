"""The databases that the chat is tried with. Each can be made to fail, and to come back."""

import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from process import Failure, Program  # noqa: E402


class Sqlite:
    """A file. It fails by the lock of somebody else."""

    name = "SQLite"

    def __init__(self, folder):
        self._path = pathlib.Path(folder, "chat.db")
        self.url = f"sqlite:{self._path}"
        self._locker = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.resume()

    def fail(self):
        self._locker = sqlite3.connect(self._path, isolation_level=None, timeout=30)
        self._locker.execute("BEGIN EXCLUSIVE")

    def resume(self):
        if self._locker:
            self._locker.execute("ROLLBACK")
            self._locker.close()
            self._locker = None

    def rows(self, query):
        connection = sqlite3.connect(self._path, timeout=30)
        try:
            with connection:
                return connection.execute(query).fetchall()
        finally:
            connection.close()


class MariaDb:
    """A server of its own, on a free port, with its data in a folder of its own. It fails by being stopped."""

    name = "MariaDB"

    def __init__(self, folder):
        self._data = pathlib.Path(folder, "mariadb")
        self._socket = str(pathlib.Path(folder, "mariadb.sock"))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"mysql://chat:secret@127.0.0.1:{self._port}/chat"
        self._program = None

    def __enter__(self):
        install = shutil.which("mariadb-install-db")
        if not install:
            raise Failure("there is no mariadb-install-db")
        command = [install, "--no-defaults", f"--datadir={self._data}", "--auth-root-authentication-method=normal",
                   "--skip-test-db", *self._user()]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        if done.returncode != 0:
            raise Failure(f"mariadb-install-db failed:\n{done.stdout[-2000:]}")
        self.resume()
        self._ask("CREATE DATABASE chat; CREATE USER chat@'127.0.0.1' IDENTIFIED BY 'secret'; "
                  "GRANT ALL ON chat.* TO chat@'127.0.0.1'", database="")
        return self

    def __exit__(self, *_):
        if self._program:
            self._program.stop()

    def resume(self):
        if self._program and self._program.running():
            return
        server = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        self._program = Program(server, "--no-defaults", f"--datadir={self._data}", f"--socket={self._socket}",
                                f"--port={self._port}", "--bind-address=127.0.0.1", "--skip-name-resolve",
                                f"--pid-file={self._data}/server.pid", "--skip-log-bin", *self._user())
        deadline = time.monotonic() + 60
        while subprocess.run(self._client("SELECT 1"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            if time.monotonic() > deadline or not self._program.running():
                raise Failure(f"MariaDB did not start:\n{self._program.tail()}")
            time.sleep(0.1)

    def fail(self):
        self._program.stop()
        self._program = None

    def freeze(self):
        """It holds its connections, and answers nothing any more."""
        self._program.signal(signal.SIGSTOP)

    def thaw(self):
        self._program.signal(signal.SIGCONT)

    def rows(self, query):
        return [tuple(line.split("\t")) for line in self._ask(query).splitlines()]

    def _ask(self, query, database="chat"):
        done = subprocess.run(self._client(query, database), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60)
        if done.returncode != 0:
            raise Failure(f"MariaDB did not take {query!r}: {done.stdout}")
        return done.stdout

    def _client(self, query, database=""):
        client = shutil.which("mariadb")
        return [client, "--no-defaults", f"--socket={self._socket}", "--user=root", "--batch",
                "--skip-column-names", "--default-character-set=utf8mb4",
                f"--execute={query}", *([database] if database else [])]

    @staticmethod
    def _user():
        return ["--user=root"] if os.getuid() == 0 else []
