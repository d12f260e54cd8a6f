"""What a build makes: the manual page, from the commands, so that it says what they say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PAGE = "undersign.1"


class ManualPage(BuildHookInterface[Any]):
    """Puts undersign.1 into the wheel, where an installer takes it to share/man/man1, and into the sdist."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a target is built."""
        page = Path(self.root, "build", "man", _PAGE)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(_manual(Path(self.root, "src")), encoding="ascii")
        if self.target_name == "wheel":
            build_data["shared_data"][str(page)] = f"share/man/man1/{_PAGE}"
        else:
            build_data["force_include"][str(page)] = _PAGE


def _manual(sources: Path) -> str:
    sys.path.insert(0, str(sources))
    try:
        from undersign.cli.app import commands
        from undersign.cli.manual import manual

        return manual(commands)
    finally:
        sys.path.remove(str(sources))
