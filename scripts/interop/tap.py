"""A proxy on loopback that keeps what passes through it, to look at the frames on the wire."""

import socket
import threading
from typing import NamedTuple

TEXT, BINARY = 1, 2


class Frame(NamedTuple):
    """The header of a frame (RFC 6455 §5.2)."""

    opcode: int
    final: bool
    rsv: int
    length: int


class Way:
    """One direction of a connection: its head, and its frames."""

    def __init__(self, data):
        head, _, rest = bytes(data).partition(b"\r\n\r\n")
        self.head = head.decode("latin-1").split("\r\n")
        self.frames = list(read_frames(rest))

    def header(self, name):
        """The values of a header, joined as RFC 9110 §5.3 joins them; None if there is none."""
        lines = [line.split(":", 1) for line in self.head[1:]]
        values = [value.strip() for key, value in lines if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    def messages(self):
        """The frames of each message, control frames left out."""
        messages, parts = [], []
        for frame in self.frames:
            if frame.opcode < 8:
                parts.append(frame)
                if frame.final:
                    messages.append(parts)
                    parts = []
        return messages


def read_frames(data):
    at = 0
    while at + 2 <= len(data):
        first, second = data[at], data[at + 1]
        extended = {126: 2, 127: 8}.get(second & 127, 0)
        length = int.from_bytes(data[at + 2 : at + 2 + extended], "big") if extended else second & 127
        at += 2 + extended + (4 if second & 128 else 0) + length
        if at > len(data):
            raise ValueError("the connection ended within a frame")
        yield Frame(first & 15, bool(first & 128), first >> 4 & 7, length)
    if at != len(data):
        raise ValueError("the connection ended within a frame's header")


class Tap:
    """Passes one connection at a time on to `port`. As a context manager it is closed when the block is left."""

    def __init__(self, port):
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ended = threading.Semaphore(0)
        self._recorded = []
        threading.Thread(target=self._serve, daemon=True).start()

    def connection(self, seconds):
        """What the client and what the server of the next finished connection sent."""
        if not self._ended.acquire(timeout=seconds):
            raise TimeoutError(f"no connection ended in {seconds} s")
        sent, answered = self._recorded.pop(0)
        return Way(sent), Way(answered)

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            record = (bytearray(), bytearray())
            ways = [
                threading.Thread(target=copy, args=(client, server, record[0]), daemon=True),
                threading.Thread(target=copy, args=(server, client, record[1]), daemon=True),
            ]
            for way in ways:
                way.start()
            for way in ways:
                way.join()
            client.close()
            server.close()
            self._recorded.append(record)
            self._ended.release()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()


def copy(source, sink, record):
    try:
        while data := source.recv(1 << 16):
            record += data
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # The other way has ended this one.
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
