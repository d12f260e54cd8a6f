"""The vectors, run inside the page by what the page itself has loaded."""

from __future__ import annotations

import json
from typing import Any

from tests.playground.chromium import Page
from undersign.vectors import load, names, read
from undersign.vectors.conform.judge import Status, judge
from undersign.vectors.conform.protocol import cases, run_message

# The page's own functions on a case: the parts of the string that it shows, joined, and what it would have one send.
EXPLAIN = """({ scheme, options, now, keyId, secret, request }) => {
    const { utf8, steps } = Undersign;
    const body = request.body_b64 === undefined ? utf8(request.body ?? "") : steps.unbase64(request.body_b64);
    const { parts, signature, anew } = Explain.explain({
        family: scheme,
        options: { ...Schemes.defaults(scheme), ...options },
        request: { ...request, origin: request.origin ?? "", body },
        keyId,
        secret: typeof secret === "string" ? utf8(secret) : steps.unbase64(secret.secret_b64),
        clock: { mode: "at", at: now },
        now,
    });
    const between = scheme === "gotom" ? "\\n" : "\\0";
    const joined = parts && parts.filter(([, value]) => value !== null).map(([, value]) => value).join(between);
    return { joined, signature, patch: anew && anew.patch };
}"""


def test_every_vector_passes_in_the_page(page: Page) -> None:
    all_cases = cases(load(name) for name in names())
    answers = page.run("(messages) => messages.map(Undersign.answer)", [run_message(case) for case in all_cases])
    outcomes = [judge(case, answer) for case, answer in zip(all_cases, answers, strict=True)]
    assert len(outcomes) > 500
    assert [outcome.sentence for outcome in outcomes if outcome.status is not Status.PASSED] == []


def test_the_string_and_the_signature_that_are_shown_are_those_of_the_vectors(page: Page) -> None:
    shown = 0
    for name in ("gotom", "gogrid"):
        for group in json.loads(read(name))["groups"]:
            for test in group["tests"]:
                if group["op"] == "sign" and "string_to_sign" in test and not is_signed(test["request"]):
                    given = {key: group[key] for key in ("options", "now")} | {
                        "request": test["request"],
                        "scheme": name,
                    }
                    given |= {"keyId": test["key_id"], "secret": group["keys"][test["key_id"]][0]}
                    found = page.run(EXPLAIN, given)
                    assert found["joined"].encode("latin-1").decode() == test["string_to_sign"], test["name"]
                    values = [value for pairs in test["patch"].values() for _, value in pairs]
                    assert any(found["signature"] in value for value in values), test["name"]
                    shown += 1
    assert shown > 100


def is_signed(request: dict[str, Any]) -> bool:
    """Whether the request carries a signature already, so that the page verifies it."""
    names = {name.lower() for name, _ in request["headers"]}
    return "authorization" in names or "sig" in request["target"] + request.get("body", "")
