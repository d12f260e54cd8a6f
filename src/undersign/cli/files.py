"""Names of files on the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click


class FileName(click.Path):
    """The name of a file, or of a folder with `dir_okay`, as a Path. An empty one is a variable of a shell that is not
    set: as a Path it would be the folder that the command runs in."""

    def __init__(self, *, file_okay: bool = True, dir_okay: bool = False, allow_dash: bool = False) -> None:
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, allow_dash=allow_dash, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not os.fspath(value):
            self.fail("the name of the file is empty", param, ctx)
        return super().convert(value, param, ctx)
