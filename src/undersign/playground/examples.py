"""Requests to begin with: what APIs have published, from the vectors, and two that are here for their own sake."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .. import vectors
from ..errors import ConfigError
from ..registry import build_scheme
from ..schemes import presets
from .showing import as_http

_GOTOM = {"scheme": "gotom", "key_id": "", "secret": "thepasswordyoureceived"}
_SIGNED = """GET /app-api/campaign/26106 HTTP/1.1
Host: demo.gotom.io
Content-Type: application/json
Date: 2024-11-07T10:21:15Z
Authorization: gotom_app_api theusernameyoureceived:zyNLF+OesgakKbzViRcucSRi8MM=

"""
_MISTAKE = """POST /app-api/campaign?draft=1 HTTP/1.1
Host: demo.gotom.io
Content-Type: application/json
Date: 2024-11-07T10:21:15Z
Authorization: gotom_app_api theusernameyoureceived:Mq0OuhpVkFCWv8zAo6eYOLN4JNE=
Content-Length: 16

{"name": "new"}
"""
_CURL = """curl -X PUT 'https://demo.gotom.io/app-api/campaign/26106?draft=1' \\
  -H 'Content-Type: application/json; charset=UTF-8' \\
  --data-raw '{"name": "autumn"}'
"""
_GOGRID = {
    "scheme": "gogrid",
    "secret": "qvxkmw57pec7",
    "clock": "at",
    "at": "1200603050",
    "pasted": "https://api.gogrid.com/api/grid/server/list?format=json&api_key=2fvmer3qbk7f3jnqneg58bu2"
    "&sig=65a08176826fa4621116997e1dd775fa&v=1.5",
}

_OWN: dict[str, dict[str, Any]] = {
    "gotom": {**_GOTOM, "pasted": _SIGNED, "source": "goTom's own samples"},
    "gogrid": {**_GOGRID, "source": "the known answer of Mashery's support page"},
    "a mistake": {**_GOTOM, "pasted": _MISTAKE, "source": "a body that was signed without its last line end"},
    "to be signed": {**_GOTOM, "key_id": "theusernameyoureceived", "clock": "now", "pasted": _CURL, "source": "no API"},
}


def names() -> list[str]:
    """The examples that the page has buttons for."""
    return list(_OWN)


def has_example(name: str) -> bool:
    """Whether there is one for the scheme of that name."""
    return name in _OWN or name in presets.names()


def example(name: str) -> dict[str, Any]:
    """The fields of a question, and where they are from. Raises ConfigError where there is none of that name."""
    if name in _OWN:
        return {"clock": "request", "at": "", "extra": {}, "key_id": "", **_OWN[name]}
    if name not in presets.names():
        raise ConfigError(f"there is no example for {name}")
    file = vectors.load(f"presets/{name}")
    group, test = next((group, test) for group, test in file if group.op == "sign" and test.result == "valid")
    scheme = build_scheme(name, group.options)
    known = (*scheme.extras, *scheme.optional_extras)
    signed = test.patch.apply(test.request) if test.patch else test.request
    headers = signed.headers
    if not signed.values("host"):
        headers = (("Host", signed.origin.partition("://")[2]), *headers)
    body = signed.body if isinstance(signed.body, bytes) else b""
    if body and not signed.values("content-length"):
        headers = (*headers, ("Content-Length", str(len(body))))
    shown = as_http(type(signed)(signed.method, signed.target, headers, body, signed.origin))
    return {
        "scheme": name,
        "pasted": shown,
        "origin": signed.origin if signed.origin.startswith("http://") else "",
        "key_id": "",
        "secret": group.keys[test.key_id][0].decode("utf-8", "replace"),
        "clock": "at",
        "at": f"{group.now:.3f}".removesuffix(".000"),
        "extra": {extra: value for extra, value in test.extra.items() if extra in known},
        "options": {name: _as_text(value) for name, value in group.options.items()},
        "source": group.source,
    }


def _as_text(value: Any) -> str:
    """An option as a field of the page has it."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return json.dumps(value) if isinstance(value, (list, tuple, Mapping)) else str(value)
