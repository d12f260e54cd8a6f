"""The request of a HAR: a whole archive, one of its entries, or a request of one.

Source: HAR 1.2 (w3c.github.io/web-performance/specs/HAR), and what Chrome, Firefox, Playwright and mitmproxy put into
theirs: HTTP/2's pseudo headers, bodies as text, and no Authorization unless asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..core.message import Pairs, Request
from ..errors import ConfigError, UndersignError
from .har_body import HarBody, har_body
from .har_clock import HarClock, har_clock

_MOST_SHOWN = 8
_LONGEST_SHOWN = 72
_SCHEMES = {"ws": "http", "wss": "https"}  # RFC 6455, section 3: a handshake is a request of HTTP


class SeveralEntries(ConfigError):
    """A HAR of which one entry has to be chosen. `entries` are number, method and URL of those that there are to choose
    from, as they may be shown."""

    def __init__(self, message: str, entries: list[tuple[int, str]]) -> None:
        super().__init__(message)
        self.entries = entries


class HarRequest(NamedTuple):
    """The head of a request, what is known of its body, and of when it was sent."""

    head: Request
    body: HarBody
    clock: HarClock | None
    note: str = ""


def request_of_har(
    content: bytes,
    which: str | None,
    is_signed: Callable[[Request], bool] = lambda request: False,
    names: str = "",
) -> HarRequest:
    """The request of the one entry, or of the one that `which` names: its number from 1, or a part of its URL; else of
    the only one that `is_signed`, which `note` tells then. `names` are the schemes that it looks for, in a sentence.

    Raises ConfigError for what is no HAR, and for an entry that is not clear; CannotSign for a URL that is none.
    """
    found = _parsed(content)
    notes: list[str] = []
    entry = _entry(found, which, is_signed, names, notes)
    request = entry.get("request")
    if not isinstance(request, dict):
        raise ConfigError("the HAR entry has no request")
    head = _head(request)
    return HarRequest(head, har_body(request, head, _creator(found)), har_clock(entry), "".join(notes))


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except UnicodeDecodeError:
        raise ConfigError("the HAR is not in UTF-8: save it anew") from None
    except (ValueError, RecursionError):
        raise ConfigError("the HAR is not JSON: copy all of it") from None


def _creator(found: Any) -> str:
    log = found.get("log") if isinstance(found, dict) else None
    creator = log.get("creator") if isinstance(log, dict) else None
    return str(creator.get("name", "")) if isinstance(creator, dict) else ""


def _entry(
    found: Any, which: str | None, is_signed: Callable[[Request], bool], names: str, notes: list[str]
) -> dict[str, Any]:
    if isinstance(found, dict) and isinstance(found.get("log"), dict) and isinstance(found["log"].get("entries"), list):
        entries = [entry for entry in found["log"]["entries"] if isinstance(entry, dict)]
        return _chosen(entries, which, lambda request: _is_signed(request, _creator(found), is_signed), names, notes)
    if which is not None:
        raise ConfigError("--entry is for a whole HAR, and this is one of its entries")
    if isinstance(found, dict) and "request" in found:
        return found
    if isinstance(found, dict) and "method" in found and "url" in found:
        return {"request": found}
    raise ConfigError("this is no HAR: it has neither log.entries, nor a request, nor method and url")


def _chosen(
    entries: list[dict[str, Any]], which: str | None, is_signed: Callable[[Any], bool], names: str, notes: list[str]
) -> dict[str, Any]:
    requests = [entry.get("request") for entry in entries]
    urls = [str(request.get("url", "")) if isinstance(request, dict) else "" for request in requests]
    places = list(range(len(entries)))
    if which is not None and re.fullmatch("[0-9]{1,9}", which):
        places = [place for place in places if place + 1 == int(which)]
    elif which is not None:
        places = [place for place in places if which in urls[place]]
    if len(places) == 1:
        return entries[places[0]]
    if not entries:
        raise ConfigError("the HAR has no entries: record the request, and save it again")
    signed = [place for place in places if is_signed(requests[place])]
    if len(signed) == 1:
        [place] = signed
        notes.append(
            f"entry {place + 1} of the HAR is taken, {_shown(requests[place])}: of those that fit it alone is signed"
        )
        return entries[place]
    fitting = signed or places or range(len(entries))
    what = f"the HAR has {len(places)} entries that fit" if places else "none of the HAR's entries fits --entry"
    if signed and len(signed) < len(places):
        what += f", of which {len(signed)} are signed"
    elif names and places and not signed:
        what += f", of which none is signed as {names} (--scheme names another scheme)"
    listed = [(place + 1, _shown(requests[place]) + _answered(entries[place])) for place in fitting]
    shown = ", ".join(f"{number} {text}" for number, text in listed[:_MOST_SHOWN])
    more = f" and {len(listed) - _MOST_SHOWN} more" if len(listed) > _MOST_SHOWN else ""
    raise SeveralEntries(
        f"{what}: choose with --entry and a number or a part of the URL, of {shown}{more}",
        listed,
    )


def _is_signed(request: Any, creator: str, is_signed: Callable[[Request], bool]) -> bool:
    """Whether it is signed, as far as is known of its body: a form may hold what signs, or a part of it."""
    try:
        if not isinstance(request, dict):
            return False
        head = _head(request)
        return is_signed(head.with_body(har_body(request, head, creator).content))
    except UndersignError:
        return False


def _answered(entry: Mapping[str, Any]) -> str:
    """The status of the answer, by which a refusal is found among many; nothing where there was none."""
    response = entry.get("response")
    status = response.get("status") if isinstance(response, dict) else None
    return f" ({status})" if isinstance(status, int) and 100 <= status <= 999 else ""


def _shown(request: Any) -> str:
    """Method and URL, short and without what is before an @ and behind a ?, where credentials may stand."""
    if not isinstance(request, dict):
        return "(no request)"
    url = re.split(r"[?#]", str(request.get("url", "")), maxsplit=1)[0]
    url = re.sub(r"^([A-Za-z]+://)[^/@]*@", r"\1", url)
    if len(url) > _LONGEST_SHOWN:
        url = f"{url[: _LONGEST_SHOWN - 1]}…"
    return f"{str(request.get('method', ''))[:16]} {url}".strip()


def _head(found: Mapping[str, Any]) -> Request:
    method, url = found.get("method"), found.get("url")
    if not isinstance(method, str) or not isinstance(url, str):
        raise ConfigError("the HAR's request has no method or no url")
    headers = _headers(found.get("headers"))
    pseudo = {name: value for name, value in headers if name.startswith(":")}
    headers = tuple(pair for pair in headers if not pair[0].startswith(":"))
    request = Request.from_url(method, _url(url))
    target = pseudo.get(":path", "")
    if not any(name.lower() == "host" for name, _ in headers):
        host = pseudo.get(":authority") or request.origin.partition("://")[2]
        headers = (("Host", host), *headers)
    return Request(method, target if target.startswith("/") else request.target, headers, b"", request.origin)


def _url(url: str) -> str:
    """The URL of what is sent: browsers do not send what is before the @, and a websocket begins as HTTP."""
    scheme, separator, rest = url.partition("://")
    return f"{_SCHEMES.get(scheme.lower(), scheme)}{separator}{re.sub('^[^/?#@]*@', '', rest)}"


def _headers(found: Any) -> Pairs:
    if not isinstance(found, list):
        raise ConfigError("the HAR's request has no headers")
    pairs: list[tuple[str, str]] = []
    for header in found:
        name, value = (header.get("name"), header.get("value")) if isinstance(header, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(value, str):
            raise ConfigError("a header of the HAR's request has no name or no value")
        pairs.append((_wire(name), _wire(value)))
    return tuple(pairs)


def _wire(text: str) -> str:
    """Text of a header, one character a byte: as it is where that can be, else as UTF-8."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("latin-1")
    return text
