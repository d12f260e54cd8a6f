"""Names of a package that are imported when they are first asked for."""

from __future__ import annotations

import pytest

from undersign.core import dates
from undersign.core.later import later


def _found(name: str) -> object:
    return later("undersign.core", {"parse_date": ".dates", "dates": ".dates"})(name)


def test_a_name_gives_what_its_module_has() -> None:
    assert _found("parse_date") is dates.parse_date


def test_the_name_of_a_module_gives_the_module() -> None:
    assert _found("dates") is dates


def test_another_name_is_an_attribute_error_as_pythons_own() -> None:
    with pytest.raises(AttributeError, match=r"^module 'undersign.core' has no attribute 'other'$"):
        _found("other")
