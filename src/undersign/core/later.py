"""Names of a package that are imported when they are first asked for, so that nobody pays for what others use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module


def later(package: str, names: Mapping[str, str]) -> Callable[[str], object]:
    """The `__getattr__` of a package: `names` are what it gives, with the module of each, relative to it. PEP 562.

    A name that is its module's own gives the module.
    """

    def found(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(names[name], package)
        return module if names[name] == f".{name}" else getattr(module, name)

    return found
