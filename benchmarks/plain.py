"""What a careful engineer writes by hand for one scheme, without a library: the opponent of the benchmarks.

It works from header pairs as servers and clients have them, refuses what is repeated or holds control characters, reads
dates strictly, escapes key ids, and compares in constant time. It has one scheme, one key, no options and no reasons.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from urllib.parse import quote, unquote_plus

Pairs = Sequence[tuple[str, str]]

_CREDENTIALS = re.compile(r"gotom_app_api ([^\\:]*(?:\\[\\:][^\\:]*)*):([A-Za-z0-9+/]{27}=)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2})")
_TARGET = re.compile(r"/[!\"$-~]*")
_SIG = re.compile(r"[0-9a-f]{32}")
_WINDOW = 1800


class Refused(Exception):
    """The request does not verify."""


def _header_string(method: str, target: str, content_type: str, date: str, body: bytes) -> bytes:
    digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
    return f"{method}\n{digest}\n{content_type.lower()}\n{date}\n\n{target}".encode("latin-1")


def _hmac(secret: bytes, string: bytes) -> str:
    return base64.b64encode(hmac.new(secret, string, "sha1").digest()).decode()


def gotom_sign(
    method: str, target: str, headers: Pairs, body: bytes, key_id: str, secret: bytes, now: float
) -> list[tuple[str, str]]:
    """The headers that sign the request."""
    content_type = None
    for name, value in headers:
        if name.lower() == "content-type":
            if content_type is not None:
                raise Refused
            content_type = value.strip(" \t")
    if content_type is None:
        content_type = "application/json"
    if not content_type.isprintable() or not _TARGET.fullmatch(target) or not key_id.isprintable():
        raise Refused
    date = datetime.fromtimestamp(int(now), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = _hmac(secret, _header_string(method.upper(), target, content_type, date, body))
    user = key_id.replace("\\", "\\\\").replace(":", "\\:").encode().decode("latin-1")
    return [("Date", date), ("Authorization", f"gotom_app_api {user}:{signature}")]


def gotom_verify(
    method: str, target: str, headers: Pairs, body: bytes, secrets: Mapping[str, bytes], now: float
) -> tuple[str, float]:
    """Key id and time of a request that verifies. Raises Refused."""
    found: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        if name in found and name in ("authorization", "content-type", "date"):
            raise Refused
        found[name] = value.strip(" \t")
    match = _CREDENTIALS.fullmatch(found.get("authorization", ""))
    date, content_type = found.get("date", ""), found.get("content-type")
    if match is None or content_type is None or not content_type.isprintable() or not _DATE.fullmatch(date):
        raise Refused
    if not _TARGET.fullmatch(target) or (method == "POST" and "x-http-method-override" in found):
        raise Refused
    at = datetime.fromisoformat(date.replace("Z", "+00:00")).timestamp()
    if abs(int(now) - int(at)) > _WINDOW:
        raise Refused
    key_id = re.sub(r"\\(.)", r"\1", match[1]).encode("latin-1").decode()
    secret = secrets.get(key_id, b"no such key")
    expected = _hmac(secret, _header_string(method, target, content_type, date, body))
    if not hmac.compare_digest(expected, match[2]) or key_id not in secrets:
        raise Refused
    return key_id, at


def gogrid_sign(target: str, key_id: str, secret: bytes, now: float) -> str:
    """The target with the three parameters set, all other bytes as they were."""
    signature = hashlib.md5(key_id.encode() + secret + b"%d" % int(now), usedforsecurity=False).hexdigest()
    path, _, query = target.partition("?")
    parts = query.split("&") if query else []
    for name, value in (("api_key", quote(key_id, safe="")), ("sig", signature), ("v", "1.5")):
        places = [place for place, part in enumerate(parts) if unquote_plus(part.partition("=")[0]) == name]
        if len(places) > 1:
            raise Refused
        if places:
            parts[places[0]] = f"{name}={value}"
        else:
            parts.append(f"{name}={value}")
    return f"{path}?{'&'.join(parts)}"


def gogrid_verify(target: str, secrets: Mapping[str, bytes], window: frozenset[str], origin: str) -> str:
    """The key id of a request that verifies; `window` holds the signatures that its key may send now."""
    found: dict[str, str] = {}
    for part in target.partition("?")[2].split("&"):
        name, _, value = part.partition("=")
        name = unquote_plus(name)
        if name in ("api_key", "sig", "v"):
            if name in found:
                raise Refused
            found[name] = unquote_plus(value)
    key_id, sig = found.get("api_key", ""), found.get("sig", "")
    if not origin.startswith("https://") or not key_id.isprintable() or not _SIG.fullmatch(sig):
        raise Refused
    if found.get("v") not in ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"):
        raise Refused
    if key_id not in secrets or sig not in window:
        raise Refused
    return key_id
