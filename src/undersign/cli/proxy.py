"""`undersign proxy`: sign what any client sends, and send it on."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from ..core.credentials import Credential, Secret, parse_origin
from ..core.text import printable, why_not_bound
from ..errors import ConfigError
from ..profiles import Profile
from ..scheme import Scheme
from .choosing import Extras, extra_options, scheme_options
from .files import FileName
from .options import UPSTREAM_HTTP2, Command, read_named, secret_options
from .output import say
from .seconds import Seconds
from .signing_options import Signing

if TYPE_CHECKING:
    from ..gateway.exchange import Exchange

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Door(NamedTuple):
    """Where the proxy listens, and who may come in."""

    listen: tuple[str, int] | Path
    token: Secret | None
    certificate: Path | None
    key: Path | None
    client_authorities: Path | None


def _file(name: str, text: str) -> Callable[[_Function], _Function]:
    return click.option(name, metavar="FILE", type=FileName(), help=text)


@click.command(
    cls=Command,
    epilog="\b\nExample: undersign proxy --profile demo\n         curl http://127.0.0.1:8081/v1/items",
)
@scheme_options(several=False)
@click.option("--key-id", metavar="ID", help="Who signs.")
@extra_options
@click.option(
    "--origin",
    "--upstream",
    "origins",
    metavar="URL",
    multiple=True,
    help="https://host[:port] that requests go to; the first one takes those that name no other. Repeatable.",
)
@click.option("--upstream-http2", is_flag=True, help=UPSTREAM_HTTP2)
@secret_options
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default="127.0.0.1:8081",
    show_default=True,
    help="Port 0 = any free one. Beyond loopback a token or --client-ca is needed. Or unix:/path, for you alone.",
)
@click.option("--token-env", metavar="NAME", help="The environment variable with the token that clients have to send.")
@_file("--token-file", "The file with that token.")
@_file("--tls-cert", "Speak TLS to clients, with this certificate (PEM).")
@_file("--tls-key", "Its key.")
@_file("--client-ca", "Let in those clients alone that have a certificate of these authorities.")
@click.option("--adjust-clock", is_flag=True, help="Sign anew with a https server's time where ours is off.")
@click.option("--no-check-response", is_flag=True, help="Pass answers on unchecked where the scheme signs them.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=Seconds(),
    default=60.0,
    show_default=True,
    help="How long either side may stand still.",
)
def proxy(
    scheme: Scheme,
    profile: Profile | None,
    key_id: str | None,
    extras: Extras,
    origins: tuple[str, ...],
    upstream_http2: bool,
    secret_env: str | None,
    secret_file: Path | None,
    listen: str,
    token_env: str | None,
    token_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    client_ca: Path | None,
    adjust_clock: bool,
    no_check_response: bool,
    timeout: float,
) -> None:
    """Sign what any client sends, and send it on.

    Clients call http://127.0.0.1:8081/path, or have that as their HTTP proxy and call http://api.example.com/path.
    Prints `listening on URL` first; Ctrl-C ends it when what is under way is done, and once more at once.
    """
    if extras.nonce is not None:
        raise ConfigError("--nonce: a proxy makes a new one for each request, leave it out")
    signing = Signing(scheme, profile, key_id, extras, secret_env, secret_file)
    allowed = _origins(origins, profile)
    credential = signing.credential(signing.key_id())
    token = read_named("token", token_env, token_file)
    door = _Door(_address(listen), token, tls_cert, tls_key, client_ca)
    _check_door(door)
    _serve(
        scheme,
        credential,
        allowed,
        door,
        adjust_clock=adjust_clock,
        check_response=not no_check_response,
        timeout=timeout,
        http2=upstream_http2,
    )


def _origins(given: tuple[str, ...], profile: Profile | None) -> tuple[str, ...]:
    """Where the proxy may send: what `--origin` says, within what the profile allows. Raises ConfigError."""
    allowed = () if profile is None else profile.origins
    if not given:
        if profile is not None and not allowed:
            raise ConfigError(
                f"the profile {profile.name} names no origins: add them to it, or give --origin https://host"
            )
        if not allowed:
            raise ConfigError("a proxy has to know where it may send: give --origin https://host, or --profile NAME")
        return allowed
    parsed = tuple(map(parse_origin, given))
    for origin in parsed:
        if allowed and origin not in allowed:
            raise ConfigError(f"--origin {origin}: the profile allows {' and '.join(allowed)} alone")
    return parsed


def _address(listen: str) -> tuple[str, int] | Path:
    if listen.startswith("unix:/") and hasattr(socket, "AF_UNIX"):
        return Path(listen.removeprefix("unix:"))
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+):([0-9]{1,5})", listen)
    if match is None or int(match[2]) > 65535:
        raise ConfigError("--listen: write HOST:PORT, such as 127.0.0.1:8081 or [::1]:8081, or unix:/path")
    return match[1].strip("[]"), int(match[2])


def _check_door(door: _Door) -> None:
    """Raises ConfigError for a proxy that would sign for anyone who reaches the machine."""
    if (door.certificate is None) != (door.key is None):
        raise ConfigError("--tls-cert and --tls-key go together: give both, or none")
    if door.client_authorities is not None and door.certificate is None:
        raise ConfigError("--client-ca asks for certificates over TLS: give --tls-cert and --tls-key too")
    if isinstance(door.listen, Path):
        return  # whoever may not open it does not reach the proxy
    if door.token is None and door.client_authorities is None and not _is_loopback(door.listen[0]):
        raise ConfigError(
            f"--listen {door.listen[0]} is not loopback, and the proxy would sign for whoever reaches it: "
            "give --token-env, --token-file or --client-ca too"
        )
    if door.token is not None and door.certificate is None and not _is_loopback(door.listen[0]):
        say("undersign: the token goes over plain http; with --tls-cert and --tls-key nobody on the way reads it")


def _is_loopback(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ConfigError(f"--listen: {host!r} is not known: use 127.0.0.1") from None
    return all(ipaddress.ip_address(str(info[4][0]).partition("%")[0]).is_loopback for info in found)


def _listener(listen: tuple[str, int] | Path) -> socket.socket:
    from ..gateway.listening import on_path, on_port

    if isinstance(listen, Path):
        try:
            return on_path(listen, for_owner_alone=True)
        except OSError as error:
            raise ConfigError(f"cannot listen on unix:{listen}: {error.strerror or error}") from None
    try:
        return on_port(*listen)
    except OSError as error:
        why = why_not_bound(error)
        hint = "; port 0 takes any free one" if error.errno == errno.EADDRINUSE else ""
        raise ConfigError(f"cannot listen on {listen[0]} port {listen[1]}: {why}{hint}") from None


def _serve(
    scheme: Scheme,
    credential: Credential,
    origins: tuple[str, ...],
    door: _Door,
    *,
    adjust_clock: bool,
    check_response: bool,
    timeout: float,
    http2: bool,
) -> None:
    try:
        from ..gateway.forwarding import Forwarder
        from ..gateway.proxy import SigningProxy
        from ..gateway.serving import ServerTls, serve
    except ModuleNotFoundError as error:
        raise ConfigError(f"the proxy needs {error.name}: pip install 'undersign[gateway]'") from None
    app = SigningProxy(
        scheme,
        credential.key_id,
        credential.secret,
        origins=origins,
        older=credential.older,
        extra=credential.extra,
        adjust_clock=adjust_clock,
        check_response=None if check_response else False,
        token=door.token,
        hosts=_names(door),
        forwarder=Forwarder(client_timeout=timeout, upstream_timeout=timeout, http2=http2),
        on_failure=_say_failure,
    )
    tls = None
    if door.certificate is not None and door.key is not None:
        tls = ServerTls(door.certificate, door.key, door.client_authorities)
    path = door.listen if isinstance(door.listen, Path) else None
    listener = _listener(door.listen)
    url = f"unix:{path}"
    if path is None:
        host, port = listener.getsockname()[:2]
        url = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    def ready() -> None:
        click.echo(f"listening on {url}")
        say(f"undersign: what comes in is signed as {scheme.name} for {', '.join(origins)}")

    with listener:
        serve(app, listener, ready=ready, tls=tls)


def _names(door: _Door) -> list[str]:
    """What clients may call the proxy by: anything, where no browser could be led there by a name."""
    if isinstance(door.listen, Path) or door.certificate is not None:  # over TLS it holds the name to the certificate
        return ["*"]
    return []


def _say_failure(exchange: Exchange) -> None:
    """A line for what the proxy has answered itself. The query stays out of it: signatures may stand there."""
    path = printable(exchange.scope.get("path", ""))
    said = getattr(exchange.failure, "sentence", "the client has closed its connection")
    detail = printable(getattr(exchange.failure, "detail", ""))
    say(f"{exchange.scope['method']} {path} {exchange.status or '-'}: {said}{f' ({detail})' if detail else ''}")
