"""A client of HTTP/2 without TLS that puts the target on the wire as it is, which no other client does."""

from __future__ import annotations

import socket

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset

from .cases import Signed


class Refused(Exception):
    """The stream or the connection ended without an answer."""


def exchange(port: int, request: Signed) -> dict[str, str]:
    """The headers of the answer, `:status` among them, on a connection of its own. Raises Refused, OSError."""
    connection = H2Connection(H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=True))
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        connection.initiate_connection()
        stream = connection.get_next_available_stream_id()
        headers = [(":method", request.method), (":scheme", "http"), (":authority", "api.example.com")]
        headers += [(":path", request.target), *((name.lower(), value) for name, value in request.headers)]
        if not request.is_chunked and (request.body or request.method in ("POST", "PUT")):
            headers.append(("content-length", str(len(request.body))))
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        connection.send_headers(stream, encoded, end_stream=not request.body)
        left, answered = request.body, dict[str, str]()
        while True:
            while left and (
                room := min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size)
            ):
                piece, left = left[:room], left[room:]
                connection.send_data(stream, piece, end_stream=not left)
            wire.sendall(connection.data_to_send())
            data = wire.recv(65536)
            if not data:
                raise Refused("the connection was closed")
            for event in connection.receive_data(data):
                if _is_over(connection, event, answered):
                    return answered


def _is_over(connection: H2Connection, event: Event, answered: dict[str, str]) -> bool:
    if isinstance(event, ResponseReceived):
        answered.update((_text(name), _text(value)) for name, value in event.headers)
    elif isinstance(event, DataReceived):
        connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
    elif isinstance(event, StreamReset) and not answered:
        raise Refused(f"the stream was reset with code {event.error_code}")
    return isinstance(event, (StreamEnded, StreamReset))


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
