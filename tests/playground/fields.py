"""What a test does to the fields of a page, whatever the browser."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class Fields(ABC):
    """A page that runs scripts."""

    @abstractmethod
    def run(self, script: str, *values: Any) -> Any:
        """What a function in JavaScript returns for these values, as JSON knows it."""

    def fill(self, element_id: str, value: str | bool) -> None:
        """Set what a field, a choice or a box holds, as its user does."""
        self.run(
            """(id, value) => {
                const field = document.getElementById(id);
                field[typeof value === "boolean" ? "checked" : "value"] = value;
                field.dispatchEvent(new InputEvent("input", { bubbles: true }));
            }""",
            element_id,
            value,
        )

    def text(self, element_id: str) -> str:
        found: str = self.run("(id) => document.getElementById(id).innerText", element_id)
        return found

    def value(self, element_id: str) -> str:
        found: str = self.run("(id) => document.getElementById(id).value", element_id)
        return found
