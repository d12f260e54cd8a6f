"""What a scheme may say of its secrets and signatures: their written form, and whether it sends several at once."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest

from tests.core.leaks import assert_hides
from undersign import (
    AsyncVerifier,
    CannotSign,
    ConfigError,
    Credential,
    GoGrid,
    GoTom,
    Reason,
    Rejected,
    Request,
    Scheme,
    Secret,
    Signer,
    Verifier,
    sign,
)
from undersign.clients.aiohttp import SignatureAuth as AiohttpAuth
from undersign.clients.httpx import SignatureAuth as HttpxAuth
from undersign.clients.requests import SignatureAuth as RequestsAuth
from undersign.clients.urllib import SignatureHandler
from undersign.registry import build_scheme

pytestmark = pytest.mark.usefixtures("examples")

NOW = 1_614_265_330
NEW, OLD, OLDEST = (f"whsec_{base64.b64encode(text).decode()}" for text in (b"the new one", b"the old one", b"older"))
MESSAGE = Request("POST", "/hook", (("webhook-id", "msg_1"),), b"{}", "https://hooks.example.com")
HUSH = "hunter2 is no webhook secret"
SAID = "the secret is not in the form of webhook: write whsec_ and then the secret in base64, with its padding"


def webhooks() -> Scheme:
    return build_scheme("webhook")


def by_hand(secret: str) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"msg_1.{NOW}.{{}}".encode(), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def signatures(credential: Credential) -> str:
    return dict(sign(webhooks(), MESSAGE, credential, now=NOW).headers)["webhook-signature"]


# The form of a secret


BUILDERS: dict[str, Callable[[Any], object]] = {
    "Signer": lambda secret: Signer(webhooks(), Credential("webhook", secret)),
    "requests": lambda secret: RequestsAuth(webhooks(), "webhook", secret),
    "httpx": lambda secret: HttpxAuth(webhooks(), "webhook", secret),
    "aiohttp": lambda secret: AiohttpAuth(webhooks(), "webhook", secret),
    "urllib": lambda secret: SignatureHandler(webhooks(), "webhook", secret),
    "Verifier": lambda secret: Verifier(webhooks(), {"webhook": secret}),
    "Verifier with an older one": lambda secret: Verifier(webhooks(), {"webhook": [NEW, secret]}),
    "Verifier by scheme": lambda secret: Verifier(webhooks(), {"webhook": {"webhook": secret}}),
    "AsyncVerifier": lambda secret: AsyncVerifier(webhooks(), {"webhook": secret}),
}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
@pytest.mark.parametrize(
    "secret", [HUSH, HUSH.encode(), "whsec_", "whsec_AA", "whsec_A===", "TWZLUTl", "whsec_whsec_AAA=", "whsec_AAA=\n"]
)
def test_a_secret_that_is_not_in_form_is_found_when_the_object_is_built(build: Any, secret: str | bytes) -> None:
    build(NEW)
    with pytest.raises(ConfigError, match=SAID) as caught:
        build(Secret(secret))
    assert HUSH not in str(caught.value)


def test_the_function_that_signs_says_so_too_and_shows_nothing() -> None:
    with pytest.raises(ConfigError, match=SAID) as caught:
        sign(webhooks(), MESSAGE, Credential("webhook", HUSH), now=NOW)
    assert_hides(caught.value, HUSH)
    with pytest.raises(ConfigError, match=SAID):
        signatures(Credential("webhook", NEW, older=[HUSH]))


def test_keys_of_another_scheme_stand_below_its_name() -> None:
    with pytest.raises(ConfigError, match=r"the key 'user': .* a key for another scheme goes below that scheme's name"):
        Verifier([GoTom(), webhooks()], {"user": "a password", "webhook": NEW})
    keys = {"gotom": {"user": "a password"}, "webhook": {"webhook": NEW}}
    assert Verifier([GoTom(), webhooks()], keys)


@pytest.mark.parametrize("found", [HUSH, [NEW, HUSH], (HUSH.encode(),)])
def test_a_lookup_that_returns_one_which_is_not_in_form_has_failed(found: Any) -> None:
    signed = sign(webhooks(), MESSAGE, Credential("webhook", NEW), now=NOW).apply(MESSAGE)

    async def lookup(key_id: str, scheme: str) -> Any:
        return found

    with pytest.raises(Rejected) as caught:
        Verifier(webhooks(), lambda key_id, scheme: found, clock=lambda: NOW).verify(signed)
    with pytest.raises(Rejected) as caught_async:
        asyncio.run(AsyncVerifier(webhooks(), lookup, clock=lambda: NOW).verify(signed))
    for rejected in (caught.value, caught_async.value):
        assert (rejected.reason, rejected.detail) == (Reason.UNAVAILABLE, "the key lookup failed")
        assert SAID in str(rejected.__cause__)
        assert rejected.__cause__ is not None
        assert_hides(rejected, HUSH)


def test_a_lookup_that_knows_no_secret_is_no_failure() -> None:
    signed = sign(webhooks(), MESSAGE, Credential("webhook", NEW), now=NOW).apply(MESSAGE)
    for found in (None, "", [], [""]):
        with pytest.raises(Rejected) as caught:
            Verifier(webhooks(), lambda key_id, scheme, found=found: found, clock=lambda: NOW).verify(signed)
        assert caught.value.reason is Reason.UNKNOWN_KEY
    assert Verifier(webhooks(), lambda key_id, scheme: [OLD, NEW], clock=lambda: NOW).verify(signed).secret_index == 1


# Several signatures


def test_a_sender_signs_with_the_old_secret_too_while_the_new_one_replaces_it() -> None:
    assert signatures(Credential("webhook", NEW)) == by_hand(NEW)
    rotating = Credential("webhook", NEW, older=[OLD, Secret(OLDEST)])
    assert signatures(rotating) == " ".join(map(by_hand, (NEW, OLD, OLDEST)))
    signed = Signer(webhooks(), rotating, clock=lambda: NOW).sign(MESSAGE).apply(MESSAGE)
    for secret in (NEW, OLD, OLDEST):
        assert Verifier(webhooks(), {"webhook": secret}, clock=lambda: NOW).verify(signed).key_id == "webhook"
    again = Signer(webhooks(), rotating, clock=lambda: NOW).sign(signed).apply(signed)
    assert again == signed


@pytest.mark.parametrize("scheme", [GoTom(), GoGrid()])
def test_a_scheme_that_sends_one_signature_takes_no_older_secrets(scheme: Scheme) -> None:
    credential = Credential("user", "new", older=["old"])
    request = Request("GET", "/", origin="https://a.example")
    for build in (lambda: Signer(scheme, credential), lambda: sign(scheme, request, credential, now=NOW)):
        with pytest.raises(ConfigError, match=f"{scheme.name} sends one signature: leave the credential's older"):
            build()


def test_older_secrets_stay_with_their_credential_and_do_not_show() -> None:
    credential = Credential("webhook", NEW, older=[OLD])
    assert dataclasses.replace(credential, origins=("https://a.example",)).older == (Secret(OLD),)
    assert credential != Credential("webhook", NEW)
    assert_hides(ValueError(repr(credential)), NEW, OLD)


@pytest.mark.parametrize(
    ("older", "said"),
    [
        ("hunter2", "older is a sequence of secrets"),
        (b"hunter2", "older is a sequence of secrets"),
        (Secret("hunter2"), "older is a sequence of secrets"),
        ([""], "the secret is empty"),
        (["hunter2", 7], "a secret is text or bytes, not int"),
    ],
)
def test_older_secrets_that_cannot_work(older: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        Credential("webhook", NEW, older=older)
    del older
    assert_hides(caught.value, "hunter2", NEW)


def test_a_refusal_to_sign_shows_none_of_the_signatures() -> None:
    scheme: Any = webhooks()
    broken: Any = dataclasses.dataclass(frozen=True)(type("Broken", (type(scheme),), {"write": _refuse}))
    with pytest.raises(CannotSign) as caught:
        sign(broken.from_mapping(scheme.as_mapping()), MESSAGE, Credential("webhook", NEW, older=[OLD]), now=NOW)
    shown = [by_hand(secret).removeprefix("v1,") for secret in (NEW, OLD)]
    assert_hides(caught.value, *shown, NEW, OLD)


def _refuse(self: Any, claim: Any, request: Request) -> Any:
    raise CannotSign("no")
