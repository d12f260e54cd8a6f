"""The processes' HTTP server: uvicorn with a protocol of ours, its memory, TLS, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import uvicorn

from ..errors import ConfigError
from ..servers.asgi import App
from .ending import end_at_once
from .exchange import Broken
from .heads import Receive, Scope, Send
from .protocol import KEEP_ALIVE, ForwardingProtocol, ServerConfig

_OBJECTS = 10_000  # made and not given up, between two searches for cycles; Python's default is 700
_MALLOC = {-1: 16 * 1024 * 1024, -3: 4 * 1024 * 1024}
"""M_TRIM_THRESHOLD: how much free memory is kept. M_MMAP_THRESHOLD: from which size on memory comes from the system."""


@dataclass(frozen=True)
class ServerTls:
    """Files in PEM: the server's certificate and key, and the authorities of which clients have to bring one."""

    certificate: Path
    key: Path
    client_authorities: Path | None = None


def without_broken(record: logging.LogRecord) -> bool:
    """A filter for uvicorn's log: it leaves out the trace of an answer that is broken off on purpose, or at the end."""
    return not (record.exc_info and isinstance(record.exc_info[1], (Broken, asyncio.CancelledError)))


class Server(uvicorn.Server):
    """A server of a process that handles signals itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class _Server(Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def end_connections(server: uvicorn.Server) -> None:
    """Have each answer that has not begun end its connection, from now on. The server's config is a ServerConfig."""
    cast(ServerConfig, server.config).ends_connections = True
    for connection in server.server_state.connections:
        cycle = getattr(connection, "cycle", None)
        if cycle is not None and not cycle.response_started:
            cycle.keep_alive = False


def with_lifespan(app: App) -> App:
    """The app, which has nothing to do when a server starts and ends, with the answers that the server waits for."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})

    return served


def server_config(app: Any, *, tls: ServerTls | None = None, grace: float = 30.0) -> ServerConfig:
    """How uvicorn serves an app behind ForwardingProtocol; see `serve`."""
    return ServerConfig(
        app,
        http=ForwardingProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(grace),
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        ssl_ca_certs=str(tls.client_authorities) if tls and tls.client_authorities else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if tls and tls.client_authorities else ssl.CERT_NONE,
    )


def _load(config: ServerConfig, tls: ServerTls) -> None:
    """Read the files of `tls`, whose names are lost in what is raised of them later."""
    files = [file for file in (tls.certificate, tls.key, tls.client_authorities) if file is not None]
    for file in files:
        with file.open("rb"):
            pass
    try:
        config.load()
    except OSError:  # such as an SSLError
        named = " and ".join(map(str, files))
        raise ConfigError(
            f"TLS cannot be spoken with {named}: each is to be PEM, and the key that of the certificate; "
            "a passphrase is asked for on a terminal alone"
        ) from None


def tune_memory() -> None:
    """Set up the memory of a process that forwards, and whose requests leave no cycles.

    By default Python's search for cycles looks through the objects of all requests in flight again and again, and at
    times through those of every module, which takes a tenth of the time of a request. And glibc hands the memory of a
    body's piece back to the system as soon as it is free, only to ask for it again with the next piece: half of what a
    large body costs. It keeps a few MiB now.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS)
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):  # musl has none
        for option, size in _MALLOC.items():
            mallopt(option, size)


def serve(
    app: Any, listener: socket.socket, *, ready: Callable[[], object], tls: ServerTls | None = None, grace: float = 30.0
) -> None:
    """Serve an ASGI app on a socket that listens, until SIGINT or SIGTERM. `ready` is called once it does.

    What is in flight then has `grace` seconds to end; nothing new is taken. SIGINT that comes meanwhile ends the
    process at once, see `end_at_once`. The path of a Unix socket is removed. Errors of the app go to standard error.
    Raises ConfigError where the files of `tls` do not serve, and OSError where one cannot be read.
    """
    logger = logging.getLogger("uvicorn.error")
    logger.setLevel(logging.ERROR)
    logger.addFilter(without_broken)
    path = Path(listener.getsockname()) if listener.family == getattr(socket, "AF_UNIX", None) else None
    try:
        config = server_config(app, tls=tls, grace=grace)
        if tls is not None:
            _load(config, tls)
        server = _Server(config, ready)

        def end(signum: int, frame: object) -> None:
            if server.should_exit and signum == signal.SIGINT:
                _remove(path)
                end_at_once([server])
            server.should_exit = True

        for number in (signal.SIGINT, signal.SIGTERM):  # before it runs, so that none is lost which comes before
            signal.signal(number, end)
        tune_memory()
        server.run(sockets=[listener])
    finally:
        _remove(path)


def _remove(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)
