"""Errors carry what logs and programs need, and survive a pickle."""

from __future__ import annotations

import copy
import pickle

import pytest

from undersign import CannotSign, ConfigError, Reason, Rejected, UndersignError


@pytest.mark.parametrize("error", [CannotSign, ConfigError, Rejected])
def test_every_error_is_an_undersign_error(error: type[Exception]) -> None:
    assert issubclass(error, UndersignError)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_reads_and_compares_as_its_value(reason: Reason) -> None:
    assert str(reason) == f"{reason}" == reason.value == reason
    assert Rejected(reason).reason is reason


def test_a_reason_may_be_given_as_text_and_must_be_one() -> None:
    assert Rejected("stale").reason is Reason.STALE  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="tired"):
        Rejected("tired")  # type: ignore[arg-type]


def test_a_refusal_reads_as_its_reason_and_detail() -> None:
    assert str(Rejected(Reason.STALE, "signed at 1")) == "stale: signed at 1"
    assert str(Rejected(Reason.MISSING)) == "missing"
    shown = repr(Rejected(Reason.STALE, "signed at 1", scheme="gotom", key_id="u"))
    assert shown == "Rejected('stale', 'signed at 1', scheme='gotom', key_id='u')"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_refusal_survives_a_pickle_with_all_its_fields(protocol: int) -> None:
    before = Rejected(Reason.MALFORMED, "no Date", scheme="gotom", key_id="clé")
    for after in (pickle.loads(pickle.dumps(before, protocol)), copy.copy(before)):
        assert (after.reason, after.detail, after.scheme, after.key_id) == (Reason.MALFORMED, "no Date", "gotom", "clé")
        assert str(after) == str(before)
