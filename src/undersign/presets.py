"""The presets by name: `undersign.presets.slack()` makes Slack's scheme. Each stands in `undersign.schemes.presets`."""

from __future__ import annotations

from collections.abc import Callable

from .errors import ConfigError
from .scheme import Scheme
from .schemes.presets import names, preset


def __getattr__(name: str) -> Callable[..., Scheme]:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return preset(name.replace("_", "-"))
    except ConfigError as error:
        raise AttributeError(str(error)) from None


def __dir__() -> list[str]:
    return [name.replace("-", "_") for name in names()]
