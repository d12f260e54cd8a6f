"""The request of a HAR: a whole archive, one of its entries, or a request of one.

Source: HAR 1.2 (w3c.github.io/web-performance/specs/HAR), and what Chrome and Firefox put into theirs: HTTP/2's pseudo
headers, bodies as text, and no Authorization unless asked.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ..clock import parse_date
from ..errors import ConfigError
from ..http import Pairs, Request

_MOST_SHOWN = 8


class HarRequest(NamedTuple):
    """A request, when it was sent by the server's clock and by the client's (Unix seconds), where that is known."""

    request: Request
    answered: float | None
    started: float | None


def request_of_har(content: bytes, which: str | None) -> HarRequest:
    """The request of the one entry, or of the one that `which` names: its number from 1, or a part of its URL.

    Raises ConfigError for what is no HAR, for an entry that is not clear, and where the HAR does not hold what was
    sent; CannotSign for a URL that is none.
    """
    try:
        found: Any = json.loads(content)
    except (ValueError, RecursionError):
        raise ConfigError("the HAR is not JSON: copy all of it") from None
    entry = _entry(found, which)
    request = entry.get("request")
    if not isinstance(request, dict):
        raise ConfigError("the HAR entry has no request")
    return HarRequest(_request(request), _answered(entry), _started(entry))


def _entry(found: Any, which: str | None) -> dict[str, Any]:
    if isinstance(found, dict) and isinstance(found.get("log"), dict) and isinstance(found["log"].get("entries"), list):
        entries = [entry for entry in found["log"]["entries"] if isinstance(entry, dict)]
        return _chosen(entries, which)
    if which is not None:
        raise ConfigError("--entry is for a whole HAR, and this is one of its entries")
    if isinstance(found, dict) and "request" in found:
        return found
    if isinstance(found, dict) and "method" in found and "url" in found:
        return {"request": found}
    raise ConfigError("this is no HAR: it has neither log.entries, nor a request, nor method and url")


def _chosen(entries: list[dict[str, Any]], which: str | None) -> dict[str, Any]:
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
    if not places:
        raise ConfigError(
            f"the HAR has {len(entries)} entries, and none fits --entry: leave it out, and they are named"
        )
    # Without their queries, where signatures may stand.
    shown = [f"{place + 1} {urls[place].partition('?')[0]}" for place in places[:_MOST_SHOWN]]
    more = f" and {len(places) - _MOST_SHOWN} more" if len(places) > _MOST_SHOWN else ""
    raise ConfigError(
        f"the HAR has {len(places)} entries that fit: choose with --entry and a number or a part of the URL, of "
        f"{', '.join(shown)}{more}"
    )


def _request(found: Mapping[str, Any]) -> Request:
    method, url = found.get("method"), found.get("url")
    if not isinstance(method, str) or not isinstance(url, str):
        raise ConfigError("the HAR's request has no method or no url")
    headers = _headers(found.get("headers"))
    pseudo = {name: value for name, value in headers if name.startswith(":")}
    headers = tuple(pair for pair in headers if not pair[0].startswith(":"))
    # Browsers do not send what is before the @.
    request = Request.from_url(method, re.sub(r"^([a-z]+://)[^/?#@]*@", r"\1", url, flags=re.IGNORECASE))
    target = pseudo.get(":path", "")
    if not any(name.lower() == "host" for name, _ in headers):
        host = pseudo.get(":authority", request.origin.partition("://")[2])
        headers = (("Host", host), *headers)
    request = Request(method, target if target.startswith("/") else request.target, headers, b"", request.origin)
    body = _body(found.get("postData"), request)
    return Request(request.method, request.target, headers, body, request.origin)


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


def _body(found: Any, head: Request) -> bytes:
    """The bytes of the body, which a HAR has as text: those whose length is the Content-Length that was sent."""
    found = found if isinstance(found, dict) else {}
    text = found.get("text")
    if not isinstance(text, str):
        if found.get("params"):
            raise ConfigError("the HAR has the parameters of the form and not its text, which is what was sent")
        text = ""
    lengths = head.values("content-length")
    length = int(lengths[0]) if len(lengths) == 1 and re.fullmatch("[0-9]{1,18}", lengths[0]) else None
    bodies = _encodings(text, found.get("encoding"), " ".join(head.values("content-type")))
    for body in bodies:
        if length is None or len(body) == length:
            return body
    raise ConfigError(
        f"the HAR's body has {len(bodies[0])} bytes and {length} were sent, so it is not all there: give the request "
        "as raw HTTP"
    )


def _encodings(text: str, encoding: Any, content_type: str) -> list[bytes]:
    if encoding == "base64":
        try:
            return [base64.b64decode(text, validate=True)]
        except (binascii.Error, ValueError):
            raise ConfigError("the HAR's body is not in base64, as its encoding says") from None
    charset = re.search(r"charset=\"?([^\s;\"]+)", content_type, re.IGNORECASE)
    found: list[bytes] = []
    for name in ("utf-8", charset[1] if charset else "utf-8", "latin-1"):
        try:
            found.append(text.encode(name))
        except (UnicodeEncodeError, LookupError):
            continue
    return found or [text.encode("utf-8", "surrogatepass")]


def _answered(entry: Mapping[str, Any]) -> float | None:
    """What the server's clock said when it answered."""
    response = entry.get("response")
    headers = response.get("headers") if isinstance(response, dict) else None
    for header in headers if isinstance(headers, list) else ():
        if isinstance(header, dict) and str(header.get("name", "")).lower() == "date":
            return parse_date(str(header.get("value", "")))
    return None


def _started(entry: Mapping[str, Any]) -> float | None:
    """What the client's clock said when it sent the request: ISO 8601 with any number of digits and an offset."""
    text = str(entry.get("startedDateTime", ""))
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", text)
    if match is None:
        return None
    try:
        at = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00"))
    except ValueError:
        return None
    return at.timestamp()
