"""The gateway as processes: one, or several workers that share the sockets, and end without losing a request.

Each worker has its own event loop, keys file, connections and guard client, and answers on both listeners. At SIGTERM
or SIGINT it first says at /readyz that it is not to be given more, and closes connections with the answers that it
gives on them; after `drain` seconds it takes no new ones, and what is in flight has `grace` seconds to end. So it does
where the process that has started it is gone: with old settings it would keep others from its address.

SIGINT that comes while it ends, which is Ctrl-C once more, ends it at once: see `ending.end_at_once`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.text import printable, why_not_bound
from ..errors import ConfigError
from ..keys.file import KeyFile
from ..policy.replay import ReplayPolicy
from ..policy.requirements import Requirements
from ..registry import scheme_names
from ..scheme import Scheme
from ..servers._common import MAX_BODY
from ..servers.asgi import App
from ..verifying.verifier import AsyncVerifier
from .admin import Admin
from .ending import end_at_once
from .forward_auth import FRONTS, ForwardAuth
from .gateway import VerifyingGateway
from .guards import OpenGuard, open_guard
from .listening import on_path, on_port
from .observing import JsonFormatter, Observer
from .serving import Server, end_connections, server_config, tune_memory, with_lifespan, without_broken
from .supervising import AT_SIGHUP, supervise

if TYPE_CHECKING:
    from .ext_authz_grpc import ExtAuthzService

DECIDES = (*FRONTS, "envoy-http", "envoy-grpc")
"""For whom the gateway decides without forwarding."""

_SHARED = "/dev/shm"  # noqa: S108 - a folder of one's own is made in it
_COUNTED_IN = "PROMETHEUS_MULTIPROC_DIR"
_log = logging.getLogger("undersign.gateway")


@dataclass(frozen=True)
class Settings:
    """All that a gateway is told. One of `upstream` and `decide` is set.

    `listen` and `admin` are `host:port`, or `unix:/path`; without `admin` nothing answers there. `replay` is an address
    as `open_guard` takes it; `policies` are options of ReplayPolicy by the name of the scheme that is guarded then, and
    without any all are whose signatures are each for one request. `drain` and `grace` are seconds.
    """

    schemes: Sequence[Scheme]
    keys: Path
    listen: str
    upstream: str = ""
    decide: str = ""
    admin: str = ""
    origin: str = ""
    prefix: str = ""
    public: tuple[str, ...] = ()
    preflights: bool = False
    max_body: int = MAX_BODY
    replay: str = ""
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    require: Requirements | None = None
    workers: int = 1
    drain: float = 0.0
    grace: float = 30.0
    timeout: float = 60.0
    upstream_http2: bool = False
    key_ids: bool = False
    """Whether the metrics name key ids."""


class _Gateway:
    """What one worker runs."""

    def __init__(self, settings: Settings) -> None:
        from .metrics import MeasuredGuard, Metrics

        names = [scheme.name for scheme in settings.schemes]
        keys = KeyFile(settings.keys, names, others=scheme_names())
        metrics = Metrics(key_ids=settings.key_ids)
        self.guard: OpenGuard | None = open_guard(settings.replay) if settings.replay else None
        replay: Any = None
        if self.guard is not None:
            measured = MeasuredGuard(self.guard.guard, metrics)
            replay = {name: ReplayPolicy(measured, **options) for name, options in settings.policies.items()}
            replay = replay or measured
        elif settings.policies:
            raise ConfigError("replay-for has policies, and there is no guard: set replay, as in replay = 'memory'")
        require = settings.require if settings.require is not None else frozenset[Any]()
        verifier = AsyncVerifier(list(settings.schemes), keys, require=require, replay=replay)
        observer = Observer(metrics, logs=True)
        shared: Any = {
            "origin": settings.origin,
            "prefix": settings.prefix,
            "public": settings.public,
            "preflights": settings.preflights,
            "observer": observer,
        }
        self.app: App | None = None
        self.service: ExtAuthzService | None = None
        if settings.upstream:
            from .forwarding import Forwarder

            forwarder = Forwarder(
                upstream_timeout=settings.timeout, client_timeout=settings.timeout, http2=settings.upstream_http2
            )
            self.app = VerifyingGateway(
                verifier, settings.upstream, forwarder=forwarder, max_body=settings.max_body, **shared
            )
        elif settings.decide in FRONTS:
            self.app = with_lifespan(ForwardAuth(verifier, settings.decide, **shared))
        elif settings.decide == "envoy-http":
            from .ext_authz import ExtAuthz

            self.app = with_lifespan(ExtAuthz(verifier, max_body=settings.max_body, **shared))
        else:
            self.service = _grpc_service(verifier, max_body=settings.max_body, **shared)
        self.admin = Admin(keys, self.guard.check if self.guard else _nothing, metrics)


def _grpc_service(verifier: AsyncVerifier, **options: Any) -> ExtAuthzService:
    try:
        from .ext_authz_grpc import ExtAuthzService
    except ModuleNotFoundError as error:
        raise ConfigError(f"envoy-grpc needs {error.name}: pip install 'undersign[envoy]'") from None
    return ExtAuthzService(verifier, **options)


async def _nothing() -> None:
    """What a gateway without a guard asks."""


def run(settings: Settings, *, ready: Callable[[str, str], object]) -> None:
    """Run the gateway until SIGTERM or SIGINT. `ready` is called with both addresses once it listens.

    SIGINT that comes while it ends, ends it at once: a single process exits with 130 then, and with several workers
    KeyboardInterrupt is raised when they are gone. Raises ConfigError for settings that cannot work, and for an address
    that cannot be listened on.
    """
    asyncio.run(_checked(settings))
    with contextlib.ExitStack() as stack:
        if settings.workers > 1:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="undersign-metrics-", dir=_in_memory()))
            os.environ[_COUNTED_IN] = folder
            stack.callback(os.environ.pop, _COUNTED_IN, None)
        listener = stack.enter_context(_listening(settings.listen))
        admin = stack.enter_context(_listening(settings.admin)) if settings.admin else None
        addresses = _shown(listener), _shown(admin) if admin is not None else ""
        if settings.workers > 1:
            _log_as_json()
            supervise(
                _worker,
                (settings, listener, admin),
                count=settings.workers,
                patience=settings.drain + settings.grace + 5,
                ready=lambda: ready(*addresses),
            )
        else:
            _run_loop(_serve(settings, listener, admin, lambda: ready(*addresses)))


def _in_memory() -> str | None:
    """A folder that bodies do not fill; None = the system's for temporary files.

    Workers count in files that are mapped into memory, and on a disk that is full the system ends who writes there.
    """
    return _SHARED if os.access(_SHARED, os.W_OK) else None


def _run_loop(serving: Coroutine[Any, Any, None]) -> None:
    """Run it on uvloop, which halves the time of a request; on asyncio's own loop where there is none (Windows)."""
    try:
        run_loop = import_module("uvloop").run
    except ModuleNotFoundError:
        run_loop = asyncio.run
    run_loop(serving)


async def _checked(settings: Settings) -> None:
    """Build what a worker will, so that what is wrong with the settings is said once, before anything listens."""
    if bool(settings.upstream) is bool(settings.decide):
        raise ConfigError("a gateway forwards to an upstream, or decides for a front: give one of the two")
    if settings.decide and settings.decide not in DECIDES:
        raise ConfigError(f"decide is one of {', '.join(DECIDES)}, not {printable(settings.decide)!r}")
    if settings.decide and settings.upstream_http2:
        raise ConfigError("upstream-http2 goes with an upstream: who decides for a front forwards nothing")
    if settings.workers > 1 and settings.replay == "memory":
        raise ConfigError("replay = 'memory' is one process's own: with several workers give the address of a Redis")
    if settings.workers > 1 and settings.decide == "envoy-grpc":
        raise ConfigError("envoy-grpc has one worker a process: start several, and name them all to Envoy")
    gateway = _Gateway(settings)
    if gateway.guard is not None:
        await gateway.guard.close()


def _listening(address: str) -> socket.socket:
    """A socket that listens. Raises ConfigError."""
    try:
        if address.startswith("unix:"):
            return on_path(Path(address.removeprefix("unix:")))
        host, colon, port = address.rpartition(":")
        if not colon or not port.isdecimal() or int(port) > 65535:
            raise ConfigError(f"{address!r} is no address to listen on: write 127.0.0.1:8080, or unix:/path")
        return on_port(host.strip("[]"), int(port))
    except OSError as error:
        raise ConfigError(f"cannot listen on {address}: {why_not_bound(error)}") from None


def _shown(listener: socket.socket) -> str:
    if listener.family == socket.AF_UNIX:
        return f"unix:{listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _serve(
    settings: Settings, listener: socket.socket, admin: socket.socket | None, ready: Callable[[], object]
) -> None:
    """One worker, until it is told to end."""
    _log_as_json()
    gateway = _Gateway(settings)
    ending = asyncio.Event()
    servers: list[Server] = []

    def interrupted() -> None:
        if ending.is_set():
            _log.warning("ended at once: what was in flight is broken off")
            end_at_once(servers)
        ending.set()

    supervisor = multiprocessing.parent_process()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ending.set)
    # Not add_signal_handler: uvloop may tell of one signal twice where another comes with it.
    asks_to_end = signal.SIGINT if supervisor is None else signal.SIGQUIT
    signal.signal(asks_to_end, lambda number, frame: loop.call_soon_threadsafe(interrupted))
    if hasattr(signal, "SIGHUP"):  # Windows has none
        loop.add_signal_handler(signal.SIGHUP, _log.info, AT_SIGHUP)
    if supervisor is not None:
        _when_readable(loop, supervisor.sentinel, ending.set)
    if gateway.app is not None:
        servers.append(Server(server_config(gateway.app, grace=settings.grace)))
    tasks = [asyncio.create_task(server.serve([listener])) for server in servers]
    grpc_server: Any = None
    if gateway.service is not None:
        grpc_server = await _start_grpc(gateway.service, listener)
    if admin is not None:
        servers.append(Server(server_config(with_lifespan(gateway.admin), grace=1)))
        tasks.append(asyncio.create_task(servers[-1].serve([admin])))
    while not all(server.started for server in servers):
        if any(task.done() for task in tasks):
            raise ConfigError("the gateway cannot start: see the log")
        await asyncio.sleep(0.01)
    tune_memory()
    ready()
    await ending.wait()
    gateway.admin.is_draining = True
    _log.info("draining")
    for server in servers:
        end_connections(server)
    await asyncio.sleep(settings.drain)
    for server in servers:
        server.should_exit = True
    if grpc_server is not None:
        await grpc_server.stop(settings.grace)
    await asyncio.gather(*tasks)
    if gateway.guard is not None:
        await gateway.guard.close()
    _log.info("ended")


def _when_readable(loop: asyncio.AbstractEventLoop, descriptor: int, then: Callable[[], object]) -> None:
    """Call it once, as the pipe of a process that has ended stays readable."""

    def readable() -> None:
        loop.remove_reader(descriptor)
        then()

    loop.add_reader(descriptor, readable)


async def _start_grpc(service: ExtAuthzService, listener: socket.socket) -> Any:
    """Start a gRPC server on the address of the socket, which makes one of its own."""
    address = _shown(listener).removeprefix("http://")
    listener.close()
    if address.startswith("unix:"):
        Path(address.removeprefix("unix:")).unlink()
    server: Any = import_module("grpc.aio").server(options=service.options)
    service.add_to(server)
    server.add_insecure_port(address)
    await server.start()
    return server


def _log_as_json() -> None:
    """What is logged goes to standard error, a JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    # Places in the code, threads and tasks are not shown, and finding them takes most of a line's time.
    logging._srcfile = None  # pyright: ignore[reportPrivateUsage]  # as the logging HOWTO has it, "Optimization"
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("undersign").setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").addFilter(without_broken)


def _worker(settings: Settings, listener: socket.socket, admin: socket.socket | None, begin: Any) -> None:
    """What a worker's process runs."""
    _log_as_json()
    try:
        _run_loop(_serve(settings, listener, admin, lambda: begin.send(True)))
    except ConfigError as error:  # such as a keys file that is not in form now
        _log.error("a worker cannot start: %s", error)
        sys.exit(1)
    except Exception:
        _log.exception("a worker has failed")
        sys.exit(1)
    finally:
        supervisor = multiprocessing.parent_process()
        if supervisor is not None and not supervisor.is_alive():
            shutil.rmtree(os.environ[_COUNTED_IN], ignore_errors=True)  # nobody else is left to do it
