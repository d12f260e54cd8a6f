"""The page's diagnosis on the corpus of seeded mistakes: it may not know a cause, but it names none that is wrong."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import unquote

from tests.diagnose.clients import KEYS, NOW, secret_bytes, written_user
from tests.diagnose.corpus import Case, pairs, singles, unnamed
from tests.playground.chromium import Page
from undersign.diagnosing import CODES

SEARCH = """({ family, options, request, secret, now }) => {
    const bytes = Undersign.steps.unbase64;
    const given = [{ ...Undersign.steps.SCHEMES[family][1], ...options }, { ...request, body: bytes(request.body) }];
    const search = Diagnosis.search(family, ...given, "", bytes(secret), now);
    for (let step = search.next(); ; step = search.next()) if (step.done) return step.value;
}"""


def key_of(case: Case) -> str:
    """The key id that the case's client has: the longest that the request shows in any way that clients write it."""
    request = case.request
    assert isinstance(request.body, bytes)
    shown = " ".join(
        (
            *request.values("authorization"),
            *(unquote(unquote(text)) for text in (request.target, request.body.decode("latin-1"))),
        )
    )
    written = {key: (key, written_user(key), key.encode().decode("latin-1")) for key in KEYS}
    return max(
        (key for key, forms in written.items() if any(form in shown for form in forms)), key=len, default="other"
    )


def named(page: Page, case: Case) -> frozenset[str]:
    request = case.request
    assert isinstance(request.body, bytes)
    given: dict[str, Any] = {
        "family": case.scheme.name,
        "options": {"signed_headers": list(getattr(case.scheme, "signed_headers", ()))}
        if case.scheme.name == "gotom"
        else {},
        "secret": base64.b64encode(secret_bytes(key_of(case))).decode(),
        "now": NOW,
        "request": {
            "method": request.method,
            "target": request.target,
            "origin": request.origin,
            "headers": request.headers,
            "body": base64.b64encode(request.body).decode(),
        },
    }
    causes = page.run(SEARCH, given)
    assert all(cause["detail"].endswith(".") and "\n" not in cause["detail"] for cause in causes)
    return frozenset(cause["code"] for cause in causes)


def is_quick(case: Case) -> bool:
    """A keyed timestamp is searched for hours, so of the far ones and of those without a name a few have to do."""
    return case.scheme.name == "gotom" or not case.codes & {"clock-skew", "timezone", "secret-other", "unexplained"}


def test_single_mistakes_are_named(page: Page) -> None:
    cases = [case for case in singles() if is_quick(case) and "secret-other" not in case.codes]
    found = [(case, named(page, case)) for case in cases[::4]]
    assert [str(case) for case, codes in found if codes not in (case.codes, {"unexplained"})] == []
    right = sum(codes == case.codes for case, codes in found)
    assert right / len(found) > 0.97


def test_pairs_of_mistakes_are_named_or_not_but_never_wrongly(page: Page) -> None:
    cases = [case for case in pairs() if case.scheme.name == "gotom" and "secret-other" not in case.codes]
    found = [(case, named(page, case)) for case in cases[::3]]
    assert [str(case) for case, codes in found if codes not in (case.codes, {"unexplained"})] == []
    assert sum(codes == case.codes for case, codes in found) / len(found) > 0.9


def test_what_has_no_name_gets_none(page: Page) -> None:
    for case in list(unnamed())[:12:4]:
        assert named(page, case) == {"unexplained"}, str(case)


def test_a_clock_that_is_hours_off_is_found_without_the_time_being_sent(page: Page) -> None:
    cases = [case for case in singles() if case.scheme.name == "gogrid" and case.codes == {"timezone"}]
    assert named(page, cases[0]) == {"timezone"}


def test_the_codes_are_those_of_the_command_in_the_same_order(page: Page) -> None:
    assert tuple(page.run("() => Causes.CODES")) == CODES
