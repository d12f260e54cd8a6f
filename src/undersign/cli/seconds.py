"""Numbers of seconds on the command line, and in files of settings."""

from __future__ import annotations

import math
from typing import Any

import click

_MOST = 86_400.0


class Seconds(click.FloatRange):
    """A number of seconds up to a day: clocks and sockets take no infinity. `zero` lets 0 be one."""

    def __init__(self, *, zero: bool = False) -> None:
        super().__init__(min=0, max=_MOST, min_open=not zero)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if math.isnan(found):  # which is in every range
            self.fail("nan is no number of seconds", param, ctx)
        return found
