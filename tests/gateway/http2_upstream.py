"""An upstream that speaks HTTP/2, and whose every frame a test chooses."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import Event
from h2.settings import SettingCodes

from tests.gateway.harness import Scripted

_Event = TypeVar("_Event", bound=Event)
GOAWAY = b"\0\0\x08\x07\0\0\0\0\0"
"""Begins the frame; the number of the last stream and the code of the error follow, four bytes each."""


class Asked(NamedTuple):
    """A request as it came."""

    stream: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    trailers: list[tuple[bytes, bytes]]

    def value(self, name: bytes) -> bytes:
        return dict(self.headers)[name]


class Peer:
    """The upstream's side of a connection. OSError is raised when it is over."""

    def __init__(self, connection: socket.socket, settings: dict[SettingCodes, int]) -> None:
        self._connection = connection
        # Answers may be as wrong as a test likes.
        self.h2 = H2Connection(
            H2Configuration(
                client_side=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
                normalize_inbound_headers=False,
            )
        )
        for code, value in settings.items():
            self.h2.local_settings[code] = value
        self.h2.local_settings.acknowledge()
        self._events: list[Event] = []
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self._connection.sendall(self.h2.data_to_send())

    def send_raw(self, data: bytes) -> None:
        """Send bytes that h2 knows nothing of."""
        self._connection.sendall(data)

    def send_goaway(self, last: int, code: int = 0) -> None:
        """Say that this is the last request which is taken, and go on: h2 would take that for the end."""
        self.flush()
        self.send_raw(GOAWAY + last.to_bytes(4, "big") + code.to_bytes(4, "big"))

    def read(self) -> list[Event]:
        """What comes in next."""
        data = self._connection.recv(65536)
        if not data:
            raise OSError("closed")
        found = self.h2.receive_data(data)
        self.flush()
        return found

    def wait_for(self, kind: type[_Event]) -> _Event:
        """The next event of that kind; others before it stay."""
        while True:
            for event in self._events:
                if isinstance(event, kind):
                    self._events.remove(event)
                    return event
            self._events += self.read()

    def take(self, stream: int) -> list[Event]:
        """What has come of that stream, or comes next."""
        found = [event for event in self._events if getattr(event, "stream_id", 0) == stream]
        self._events = [event for event in self._events if event not in found]
        if not found:
            self._events += self.read()
        return found

    def head(self) -> Asked:
        """The head of the next request."""
        event = self.wait_for(events.RequestReceived)
        return Asked(event.stream_id or 0, _pairs(event.headers), b"", [])

    def request(self) -> Asked:
        """The next request, with its body and trailers. One that is given up before it is whole is passed over."""
        asked = self.head()
        while True:
            for event in self.take(asked.stream):
                if isinstance(event, events.DataReceived) and event.flow_controlled_length:
                    asked = asked._replace(body=asked.body + (event.data or b""))
                    self.h2.acknowledge_received_data(event.flow_controlled_length, asked.stream)
                elif isinstance(event, events.TrailersReceived):
                    asked.trailers.extend(_pairs(event.headers))
                elif isinstance(event, events.StreamEnded):
                    self.flush()
                    return asked
                elif isinstance(event, events.StreamReset):
                    asked = self.head()
                    break
            self.flush()

    def answer(self, stream: int, body: bytes = b"ok", *headers: tuple[bytes, bytes], status: bytes = b"200") -> None:
        """Answer, where the body fits the windows."""
        self.h2.send_headers(stream, [(b":status", status), *headers], end_stream=not body)
        if body:
            self.h2.send_data(stream, body, end_stream=True)
        self.flush()

    def serve(self) -> None:
        """Answer whatever comes from now on."""
        while True:
            self.answer(self.request().stream)


def _pairs(headers: Iterable[Any] | None) -> list[tuple[bytes, bytes]]:
    return [(bytes(name), bytes(value)) for name, value in headers or ()]


class Http2Upstream(Scripted):
    """See Scripted; `script(peer, number)` has HTTP/2. With a `tls` context it offers h2, and nothing else."""

    def __init__(
        self,
        script: Callable[[Peer, int], None],
        *,
        tls: ssl.SSLContext | None = None,
        settings: dict[SettingCodes, int] | None = None,
    ) -> None:
        def speak(connection: socket.socket, number: int) -> None:
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
            with connection:
                script(Peer(connection, settings or {}), number)

        super().__init__(speak)
        if tls is not None:
            tls.set_alpn_protocols(["h2"])
            self.url = self.url.replace("http:", "https:")


class Echo:
    """A script that answers everything, and keeps what came."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.lock = threading.Lock()

    def __call__(self, peer: Peer, number: int) -> None:
        while True:
            asked = peer.request()
            with self.lock:
                self.asked.append(asked)
            peer.answer(asked.stream)
