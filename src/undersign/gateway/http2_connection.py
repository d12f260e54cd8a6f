"""One HTTP/2 connection to an upstream: h2 has the protocol, and here are its socket, its streams and their windows.

A connection carries many requests, so one that fails or is given up must take none of the others with it: it is reset,
and its stream alone. The window of the connection is opened again for each byte that comes in, and that of a stream for
what has been read of it, so that a client who reads slowly holds up nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from .exchange import Failure, Pieces
from .http2_stream import WINDOW, Reason, Stream, lost, not_http
from .transport import HEAD_LIMIT, Lost, Unprocessed

if TYPE_CHECKING:
    from h2.events import Event
    from hyperframe.frame import Frame, GoAwayFrame

    from .trailers import Trailers

_CONNECTION_WINDOW = 16 * 1024 * 1024
_IDLE = 15.0  # as aiohttp keeps connections
QUIET = 1.0
"""Seconds after which a connection from which nothing came may be dead, where a request on it is given up."""
_MOST_STREAMS = 2**30 - 1  # numbers are odd, and have 31 bits
_SETTINGS = b"\x04"  # the type of the frame that comes first
_PING = b"undersgn"
_UNPROCESSED = (ErrorCodes.REFUSED_STREAM, ErrorCodes.HTTP_1_1_REQUIRED)


def _not_http2() -> Failure:
    return Failure(502, "The upstream does not speak HTTP/2")


def _reset() -> Failure:
    return Lost(502, "The upstream broke the request off before it answered")


def _refused() -> Failure:
    return Unprocessed(502, "The upstream has turned the request away, unprocessed")


class _H2(H2Connection):
    """h2 takes GOAWAY for the end of all streams, and those up to the last one that it names are still answered."""

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        event = events.ConnectionTerminated()
        event.error_code = frame.error_code
        event.last_stream_id = frame.last_stream_id
        return [], [event]


class Connection(asyncio.Protocol):
    """A connection, which tells `on_change` that it has room for a request again, or is closed.

    `patience` is how long it has to answer when nothing comes from it.
    """

    def __init__(self, on_change: Callable[[Connection], object], patience: float) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[Reason | None] = self._loop.create_future()
        """Done when the upstream has said that it speaks HTTP/2, or with why nothing goes over this connection."""
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.speaks_http1 = False
        """Whether the upstream has chosen HTTP/1.1, or has asked for it (RFC 9113, section 7) when it saw a request."""
        self.is_open = True
        self._on_change = on_change
        self._patience = patience
        self._transport: asyncio.Transport | None = None
        # Headers are checked here before they are sent: an error in their midst would leave the compression's table
        # other than the upstream's.
        self._h2 = _H2(
            H2Configuration(
                validate_outbound_headers=False, validate_inbound_headers=False, normalize_inbound_headers=False
            )
        )
        self._streams: dict[int, Stream] = {}
        self._opened = 0
        self._received = 0  # how often something has come in
        self._received_at = 0.0  # and when the last time
        self._to_acknowledge = 0
        self._is_paused = False
        self._is_retired = False
        self._is_suspect = False
        self._idle_since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # What the pool does

    @property
    def has_room(self) -> bool:
        """Whether one more request may go over it."""
        return (
            self.is_open
            and not self._is_retired
            and not self._is_suspect
            and len(self._streams) < self._h2.remote_settings.max_concurrent_streams
            and self._opened < _MOST_STREAMS
        )

    def start(
        self,
        method: str,
        headers: list[tuple[bytes, bytes]],
        body: bytes | Pieces,
        trailers: Trailers | None = None,
    ) -> Stream:
        """Send a request; only where it has room."""
        self._opened += 1
        number = self._h2.get_next_available_stream_id()
        stream = self._streams[number] = Stream(self, number, method)
        behind = trailers.passing() if trailers is not None and isinstance(body, bytes) else []
        self._h2.send_headers(number, headers, end_stream=not body and not behind)
        if not body and not behind:
            stream.is_sent = True
        elif isinstance(body, bytes) and len(body) <= self.room(number) and not behind:
            self._h2.send_data(number, body, end_stream=True)
            stream.is_sent = True
        else:
            stream.send(_one(body) if isinstance(body, bytes) else body, trailers)
        self._flush()
        return stream

    def retire(self) -> None:
        """Take no more requests, and close when those are answered that are under way."""
        self._is_retired = True
        if not self._streams:
            self._end(lost)

    def abort(self) -> None:
        """Close at once."""
        self._end(lost)
        if self._transport is not None:
            self._transport.abort()

    # What a stream does

    def room(self, number: int) -> int:
        """How many bytes of a body may be sent now, in one frame."""
        if self._is_paused or not self.is_open:
            return 0
        return max(0, min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size))

    def send_data(self, number: int, piece: bytes, position: int) -> int:
        """Send as much of the piece as may be, from the position on. Returns how much that was."""
        begin = position
        while position < len(piece) and (room := self.room(number)) > 0:
            self._h2.send_data(number, piece[position : position + room])
            position = min(position + room, len(piece))
            self._flush()
        return position - begin

    def end_sending(self, stream: Stream, trailers: list[tuple[bytes, bytes]]) -> None:
        """The body is whole, and these come behind it."""
        stream.is_sent = True
        if trailers:
            self._h2.send_headers(stream.number, trailers, end_stream=True)
        else:
            self._h2.end_stream(stream.number)
        self._flush()
        self._leave_if_done(stream)

    def open_window(self, number: int, length: int) -> None:
        """Let the upstream send that much more of an answer."""
        self._h2.increment_flow_control_window(length, number)
        self._flush()

    def close_stream(self, stream: Stream) -> None:
        """Break off what is still under way of it."""
        if stream.number not in self._streams:
            return
        stream.is_sent = True
        self._h2.reset_stream(stream.number, ErrorCodes.CANCEL)
        if not self._is_suspect and self._loop.time() - self._received_at >= QUIET:
            # Nothing may ever come again, if the upstream's machine is gone: no other request is to wait for that.
            self._is_suspect = True
            self._h2.ping(_PING)
            self._loop.call_later(self._patience, self._retire_if_silent, self._received)
        self._flush()
        self._leave(stream)

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass of it
        tls = transport.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            self.speaks_http1 = True
            self._end(_not_http2)
            return
        self._h2.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: HEAD_LIMIT,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._received += 1
        self._received_at = self._loop.time()
        if self._is_suspect:
            self._is_suspect = False
            self._on_change(self)
        if not self.is_open:
            return
        if self._received == 1 and data[3:4] not in (b"", _SETTINGS):  # h2 would wait for all of a long frame
            self._end(_not_http2)
            return
        try:
            found = self._h2.receive_data(data)
        except ProtocolError:
            self._flush()
            self._end(not_http if self.ready.done() else _not_http2)
            return
        for event in found:
            self._on_event(event)
        if self.is_open:
            self._flush()

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._wake_all()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(lost)
        self._transport = None
        if not self.closed.done():
            self.closed.set_result(None)

    # What has come in

    def _on_event(self, event: Event) -> None:
        if isinstance(event, events.DataReceived):
            length = event.flow_controlled_length or 0
            self._to_acknowledge += length
            if self._to_acknowledge >= WINDOW:
                self._h2.increment_flow_control_window(self._to_acknowledge)
                self._to_acknowledge = 0
            if stream := self._streams.get(event.stream_id or 0):
                stream.on_data(event.data or b"", length)
        elif isinstance(event, events.ResponseReceived):
            if stream := self._streams.get(event.stream_id or 0):
                headers = [(bytes(name), bytes(value)) for name, value in event.headers or ()]
                stream.on_head(headers, has_body=event.stream_ended is None)
        elif isinstance(event, events.TrailersReceived):
            if stream := self._streams.get(event.stream_id or 0):
                stream.trailers += [(bytes(name), bytes(value)) for name, value in event.headers or ()]
        elif isinstance(event, events.StreamEnded):
            if stream := self._streams.get(event.stream_id or 0):
                stream.on_end()
                self._leave_if_done(stream)
        elif isinstance(event, events.StreamReset):
            if stream := self._streams.get(event.stream_id or 0):
                self.speaks_http1 |= event.error_code == ErrorCodes.HTTP_1_1_REQUIRED
                stream.on_broken(_refused if event.error_code in _UNPROCESSED else _reset)
                self._leave(stream)
        elif isinstance(event, events.WindowUpdated):
            if not event.stream_id:
                self._wake_all()
            elif stream := self._streams.get(event.stream_id):
                stream.wake()
        elif isinstance(event, events.RemoteSettingsChanged):
            if not self.ready.done():
                self._become_idle()
                self.ready.set_result(None)
            self._wake_all()
            self._on_change(self)
        elif isinstance(event, events.ConnectionTerminated):
            self._is_retired = True
            self.speaks_http1 |= event.error_code == ErrorCodes.HTTP_1_1_REQUIRED
            last = event.last_stream_id or 0
            for stream in [stream for number, stream in self._streams.items() if number > last]:
                stream.on_broken(_refused)
                self._leave(stream)
            self.retire()

    def _wake_all(self) -> None:
        for stream in self._streams.values():
            stream.wake()

    def _flush(self) -> None:
        if (data := self._h2.data_to_send()) and self._transport is not None:
            self._transport.write(data)

    # The end of a stream, and of the connection

    def _leave_if_done(self, stream: Stream) -> None:
        if stream.has_ended and stream.is_sent:
            self._leave(stream)

    def _leave(self, stream: Stream) -> None:
        if self._streams.pop(stream.number, None) is None or not self.is_open:
            return
        if not self._streams:
            if self._is_retired:
                self._end(lost)
                return
            self._become_idle()
        self._on_change(self)

    def _become_idle(self) -> None:
        self._idle_since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(_IDLE, self._close_if_idle)

    def _close_if_idle(self) -> None:
        self._timer = None
        if self._streams or not self.is_open:
            return
        left = self._idle_since + _IDLE - self._loop.time()
        if left <= 0:
            self.retire()
        else:
            self._timer = self._loop.call_later(left, self._close_if_idle)

    def _retire_if_silent(self, received: int) -> None:
        if self.is_open and self._received == received:
            self.retire()

    def _end(self, reason: Reason) -> None:
        if not self.is_open:
            return
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
        if not self.ready.done():
            self.ready.set_result(reason)
        streams = list(self._streams.values())
        self._streams.clear()
        for stream in streams:
            stream.on_broken(reason)
        if self._transport is not None:
            self._transport.close()
        self._on_change(self)


def _one(body: bytes) -> Pieces:
    pieces = [b"", body]

    async def read() -> bytes:
        return pieces.pop()

    return Pieces(read)
