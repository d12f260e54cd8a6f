"""The presets by name: `undersign.presets.slack()` makes Slack's scheme. Each stands in `undersign.schemes.presets`."""

from __future__ import annotations

from collections.abc import Callable

from .errors import ConfigError
from .scheme import Scheme
from .schemes.presets import names, preset

_CLASSES = {"gotom": "GoTom", "gogrid": "GoGrid", "http_hmac": "HttpHmac", "keyed_timestamp": "KeyedTimestamp"}
"""What `--scheme` names beside the presets, by the name of its class."""


def __getattr__(name: str) -> Callable[..., Scheme]:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _CLASSES:
        raise _no_preset(f"{name} is no preset but a class: from undersign import {_CLASSES[name]}")
    try:
        return preset(name.replace("_", "-"))
    except ConfigError as error:
        raise _no_preset(str(error)) from None


def _no_preset(message: str) -> AttributeError:
    # With a name of its own the interpreter adds no guess, which for `gotom` would be `zoom`.
    return AttributeError(message, name="")


def __dir__() -> list[str]:
    return [name.replace("-", "_") for name in names()]
