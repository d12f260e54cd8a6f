"""What a WSGI environ says of a request's headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.message import Pairs

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_REPEATED = ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH")
_NAMES: dict[str, str] = {}  # clients send the same few names over and over
_MOST_NAMES = 1024
_SET_APART = frozenset((*_REPEATED, "HTTP_TRANSFER_ENCODING"))
_MOD_WSGI = "Apache withholds Authorization from mod_wsgi unless it says WSGIPassAuthorization On"
_CGI = "Apache withholds Authorization from CGI, FastCGI and SCGI unless it says CGIPassAuth On"


def headers_of(environ: WSGIEnvironment) -> Pairs:
    """The headers, their names in lower case with - for _.

    Content-Type and Content-Length may be there twice: nginx passes them on as all others too, with HTTP_ in front
    (`uwsgi_pass`, `fastcgi_pass`, `scgi_pass`), and so do some adapters of AWS Lambda. Equal values are one header. Of
    one that has HTTP_ alone, or another value there, the name keeps its underscore: it was sent with one, or more than
    once.
    """
    headers = [
        (_NAMES.get(key) or _name(key), value)
        for key, value in environ.items()
        if key[:5] == "HTTP_" and key not in _SET_APART
    ]
    if "HTTP_TRANSFER_ENCODING" in environ and not _is_unchunked(environ):
        headers.append(("transfer-encoding", environ["HTTP_TRANSFER_ENCODING"]))
    for key in _REPEATED:
        if key not in environ:
            continue
        if not _is_equal(environ, key):
            headers.append((key[5:].lower(), environ[key]))
        elif not environ[key]:  # so it was sent empty, which an environ does not show otherwise
            headers.append((_name(key), ""))
    # An empty one may stand for none, says PEP 3333; and what wsgiref gives for none is text/plain.
    content_type: str = environ.get("CONTENT_TYPE", "")
    if content_type and not (content_type == "text/plain" and _is_wsgiref(environ)):
        headers.append(("content-type", content_type))
    if content_length := environ.get("CONTENT_LENGTH", ""):
        headers.append(("content-length", content_length))
    return tuple(headers)


def _name(key: str) -> str:
    name = key[5:].lower().replace("_", "-")
    if len(_NAMES) < _MOST_NAMES and len(key) <= 64:
        _NAMES[key] = name
    return name


def differing_header(environ: WSGIEnvironment) -> str:
    """The name of a header that is there twice with two values, which a client has sent more than once; else empty."""
    for key in _REPEATED:
        if key in environ and not _is_equal(environ, key):
            return key[5:].replace("_", "-").title()
    return ""


def withheld_authorization(environ: WSGIEnvironment) -> str:
    """For the log, which directive of Apache's gives Authorization to the app; empty where it is there or not Apache's.

    RFC 3875, section 4.1.18, lets a server withhold it, and Apache does.
    """
    if environ.get("HTTP_AUTHORIZATION"):
        return ""
    if any(key.startswith("mod_wsgi.") for key in environ):
        return _MOD_WSGI
    software: str = environ.get("SERVER_SOFTWARE", "")
    is_gateway = ("GATEWAY_INTERFACE" in environ or "SCGI" in environ) and software.startswith("Apache")
    return _CGI if is_gateway or "REDIRECT_HTTP_AUTHORIZATION" in environ else ""


def _is_equal(environ: WSGIEnvironment, key: str) -> bool:
    value: str = environ[key]
    own: str = environ.get(key[5:], "")
    return value.strip(" \t") == own.strip(" \t")


def _is_unchunked(environ: WSGIEnvironment) -> bool:
    """Whether a gateway has collected what came in chunks, and has told its length by the gateway's own protocol.

    nginx and Apache leave Transfer-Encoding there. They say REQUEST_SCHEME, which no client and no HTTP server does,
    and a client's own Content-Length beside the chunks would be an HTTP_CONTENT_LENGTH, or is refused by them.
    """
    return (
        "REQUEST_SCHEME" in environ
        and bool(environ.get("CONTENT_LENGTH"))
        and "HTTP_CONTENT_LENGTH" not in environ
        and not environ.get("wsgi.input_terminated")
    )


def _is_wsgiref(environ: WSGIEnvironment) -> bool:
    software: str = environ.get("SERVER_SOFTWARE", "")
    return software.startswith("WSGIServer/")
