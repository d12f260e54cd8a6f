"""A corpus of seeded mistakes: what is named is right, and what cannot be named is not."""

from __future__ import annotations

import base64
import hmac
import re
import time
from collections.abc import Iterable

import pytest

from tests.diagnose.clients import KEYS, NOW, md5, report, secret_bytes
from tests.diagnose.corpus import Case, pairs, singles, unnamed
from undersign import HttpHmac
from undersign.core.fields import fields
from undersign.diagnosing import CODES, Cause, diagnose

SINGLES, PAIRS, UNNAMED = list(singles()), list(pairs()), list(unnamed())


def judged(cases: Iterable[Case], kind: str) -> tuple[float, float]:
    """The share that is named right, and the share that is named wrong; `unexplained` is neither."""
    right = wrong = total = 0
    slowest = 0.0
    for case in cases:
        began = time.perf_counter()
        causes = diagnose(case.request, case.scheme, KEYS, NOW)
        slowest = max(slowest, time.perf_counter() - began)
        codes = frozenset(cause.code for cause in causes)
        total += 1
        right += codes == case.codes
        if not codes <= case.codes | {"unexplained"}:
            wrong += 1
            report(f"wrong: {case} was named {sorted(codes)}")
        elif codes != case.codes:
            report(f"missed: {case}")
        shows_nothing(case, causes)
        says_where(case, causes)
    report(f"{kind}: {right} of {total} right, {wrong} wrong, the slowest in {slowest:.3f} s")
    return right / total, wrong / total


# Those of test_everyday.py, and of the larger corpus in `mistakes`.
IN_OTHER_TESTS = {
    *("header-name", "carrier", "key-unknown", "date-near", "method-differs", "body-default", "body-format"),
    *("body-compressed", "target-with-query", "target-slash", "target-normalised", "target-case", "target-parameter"),
    *("host-differs", "timestamp-seconds", "part-missing", "string-encoding", "secret-key-id", "secret-quoting"),
    *("secret-cut", "key-id-differs"),
}

WITHOUT_A_PLACE = {
    "header-missing", "header-repeated", "clock-skew", "timezone",  # where no two strings are compared
    "secret-whitespace", "secret-encoding", "secret-other",  # where a byte would be one of a secret
    "signature-case", "signature-encoding", "algorithm",  # or of a signature
    "concatenation-order", "separator",  # or would tell how long the secret is
    "unexplained",
}  # fmt: skip


def says_where(case: Case, causes: tuple[Cause, ...]) -> None:
    """Where two strings were compared, the first byte that differs is named."""
    for cause in causes:
        keyed_ending = cause.code == "string-trailing-newline" and not isinstance(case.scheme, HttpHmac)
        if cause.code not in WITHOUT_A_PLACE and not keyed_ending:
            assert re.search(r"byte \d+", cause.detail), cause


def shows_nothing(case: Case, causes: tuple[Cause, ...]) -> None:
    """No secret is in what is said, nor what was sent as a signature, nor the valid one."""
    said = repr(causes)
    forbidden = {repr(secret)[1:-1] for secret in KEYS.values()} | {str(secret) for secret in KEYS.values()}
    request = case.request
    query = request.target.partition("?")[2]
    forbidden |= {value for name, value in fields(query, ["sig"])}
    for value in request.values("authorization"):
        forbidden.add(value.rpartition(":")[2])
    for key_id in KEYS:
        message = key_id.encode() + secret_bytes(key_id)
        forbidden |= {md5(message + b"%d" % second).hex() for second in (NOW, NOW + 7)}
        if isinstance(case.scheme, HttpHmac):
            forbidden.add(valid(case, secret_bytes(key_id)))
    assert not [text for text in forbidden if len(text) > 3 and text in said]


def valid(case: Case, secret: bytes) -> str:
    request = case.request
    content_type = (request.values("content-type") or [""])[0].lower()
    date = (request.values("date") or [""])[0]
    assert isinstance(request.body, bytes)
    lines = (request.method.upper(), md5(request.body).hex(), content_type, date, "", request.target)
    return base64.b64encode(hmac.new(secret, "\n".join(lines).encode("latin-1"), "sha1").digest()).decode()


def test_the_corpus_is_large_and_holds_every_code_twice() -> None:
    assert len(SINGLES) >= 120
    assert len(PAIRS) >= 40
    assert len(UNNAMED) >= 30
    assert all(case.codes == {"unexplained"} for case in UNNAMED)
    counts = {code: sum(code in case.codes for case in SINGLES + UNNAMED) for code in CODES}
    assert {code for code, count in counts.items() if count < 2} == IN_OTHER_TESTS


@pytest.mark.long
def test_single_mistakes_are_named() -> None:
    right, wrong = judged(SINGLES, "singles")
    assert right >= 0.95
    assert wrong < 0.02


@pytest.mark.long
def test_pairs_of_mistakes_are_named() -> None:
    right, wrong = judged(PAIRS, "pairs")
    assert right >= 0.80
    assert wrong < 0.02


@pytest.mark.long
def test_what_has_no_name_gets_none() -> None:
    right, wrong = judged(UNNAMED, "unexplained")
    assert right == 1
    assert wrong == 0


@pytest.mark.sampled(4)
@pytest.mark.parametrize("case", SINGLES[:: len(SINGLES) // 20], ids=str)
def test_a_detail_is_a_sentence_or_two(case: Case) -> None:
    for cause in diagnose(case.request, case.scheme, KEYS, NOW):
        assert cause.code in CODES
        assert cause.detail.endswith(".")
        assert cause.detail[0].isupper()
        assert "\n" not in cause.detail
