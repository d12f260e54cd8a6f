"""Keys in the environment."""

from __future__ import annotations

import pytest

from tests.core.leaks import assert_hides
from tests.core.plain import NOW, SECRET, USER, gotom_request
from undersign import ConfigError, GoTom, Secret, Verifier
from undersign.keys import EnvironmentKeys

_SHOP = {"UNDERSIGN_KEY_SHOP_ID": "shop@example.com", "UNDERSIGN_KEY_SHOP_SECRET": "the-secret"}


def test_the_environment_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSIGN_KEY_A_ID", USER)
    monkeypatch.setenv("UNDERSIGN_KEY_A_SECRET", "newer")
    monkeypatch.setenv("UNDERSIGN_KEY_A_SECRET_2", SECRET)
    verified = Verifier(GoTom(), EnvironmentKeys(), clock=lambda: NOW).verify(gotom_request())
    assert (verified.key_id, verified.secret_index) == (USER, 1)


def test_a_key_is_for_all_schemes_unless_it_names_them() -> None:
    everywhere = EnvironmentKeys(environ=_SHOP)
    somewhere = EnvironmentKeys(environ={**_SHOP, "UNDERSIGN_KEY_SHOP_SCHEMES": "gotom another"})
    for scheme, known in [("gotom", True), ("another", True), ("gogrid", False), ("", False)]:
        assert everywhere("shop@example.com", scheme) == (Secret("the-secret"),)
        assert somewhere("shop@example.com", scheme) == ((Secret("the-secret"),) if known else ())
    assert everywhere("SHOP", "gotom") == ()


def test_secrets_are_in_the_order_of_their_numbers() -> None:
    numbered = {f"K_A_SECRET_{number}": str(number) for number in (10, 3, 2)}
    keys = EnvironmentKeys("K_", environ={"K_A_ID": "a", "K_A_SECRET": "1", **numbered})
    assert [secret.reveal() for secret in keys("a", "gotom")] == [b"1", b"2", b"3", b"10"]


def test_names_may_begin_with_each_other() -> None:
    names = ["A", "A_SECRET", "A_ID", "A_SECRET_2"]
    environ = {f"K_{name}_ID": name for name in names} | {f"K_{name}_SECRET": f"of {name}" for name in names}
    keys = EnvironmentKeys("K_", environ=environ)
    assert [keys(name, "gotom") for name in names] == [(Secret(f"of {name}"),) for name in names]


@pytest.mark.parametrize(
    ("environ", "match"),
    [
        ({}, "there is no environment variable K_…_ID: set K_SHOP_ID and K_SHOP_SECRET"),
        ({"K_A_ID": "a"}, "go together"),
        ({"K_A_SECRET": "the-secret"}, "K_A_SECRET belongs to no key"),
        ({"K_A_ID": "", "K_A_SECRET": "the-secret"}, "neither empty"),
        ({"K_A_ID": "a", "K_A_SECRET": ""}, "K_A_SECRET: the secret is empty"),
        ({"K_A_ID": "a", "K_A_SECRET": "the-secret", "K_A_SECRET_1": "the-secret"}, "are the same"),
        ({"K_A_ID": "a", "K_A_SECRET": "the-secret", "K_A_SECRET_01": "the-secret"}, "K_A_SECRET_01 belongs to no"),
        ({"K_A_ID": "a", "K_A_SECRET": "the-secret", "K_A_SCHEME": "gotom"}, "K_A_SCHEME belongs to no key"),
        ({"K_A_ID": "a", "K_A_SECRET": "the-secret", "K_A_SCHEMES": " "}, "K_A_SCHEMES is empty"),
        (
            {"K_A_ID": "a", "K_A_SECRET": "the-secret", "K_B_ID": "a", "K_B_SECRET": "the-secret"},
            "two keys below K_ have the key id 'a'",
        ),
    ],
)
def test_a_variable_that_cannot_work(environ: dict[str, str], match: str) -> None:
    with pytest.raises(ConfigError, match=match) as caught:
        EnvironmentKeys("K_", environ=environ)
    assert_hides(caught.value, "the-secret")


def test_keys_from_the_environment_show_no_secret() -> None:
    keys = EnvironmentKeys(environ=_SHOP)
    assert "the-secret" not in repr(keys) + repr(vars(keys))
