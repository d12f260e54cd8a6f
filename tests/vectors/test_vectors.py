"""The vectors keep to their form and hold for the library; and what checks them notices what is wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from undersign import ConfigError, vectors

FOLDER = Path(__file__).parents[2] / "vectors"
SCHEMA = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
FILES = {name: vectors.load(name) for name in vectors.names()}
CASES = [
    pytest.param(file.scheme, group, test, id=f"{name}-{test.name}")
    for name, file in FILES.items()
    for group, test in file
]
PUBLISHED = ("Acquia", "jclouds", "Mashery", "Tyk", "deltacloud")


def document(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(vectors.read(name))
    return parsed


def entry(parsed: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(test for group in parsed["groups"] for test in group["tests"] if test["name"] == name)
    return found


def difference(parsed: dict[str, Any], name: str) -> str:
    """What `run` says of one test of a changed file."""
    file = vectors.parse(json.dumps(parsed))
    return next(vectors.run(file.scheme, group, test).difference for group, test in file if test.name == name)


# What the files hold


@pytest.mark.parametrize("name", FILES)
def test_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert [error.json_path for error in Draft202012Validator(SCHEMA).iter_errors(document(name))] == []


@pytest.mark.parametrize("name", FILES)
def test_lint(name: str) -> None:
    assert vectors.lint(vectors.read(name)) == []


@pytest.mark.parametrize("name", FILES)
def test_file_is_ascii_and_named_after_its_scheme(name: str) -> None:
    assert vectors.read(name).isascii()
    assert FILES[name].scheme == name


@pytest.mark.parametrize(("name", "at_least"), [("gotom", 250), ("gogrid", 150)])
def test_counts(name: str, at_least: int) -> None:
    results = [test.result for _, test in FILES[name]]
    assert len(results) >= at_least
    assert results.count("invalid") * 3 >= len(results)
    assert {group.op for group in FILES[name].groups} == {"sign", "verify"}


def test_the_core_comes_first_and_is_small() -> None:
    core = [["Core" in test.flags for _, test in file] for file in FILES.values()]
    assert [sorted(each, reverse=True) for each in core] == core
    assert 30 <= sum(map(sum, core)) <= 40


@pytest.mark.parametrize("name", FILES)
def test_behind_the_core_tests_stand_by_bug_type_and_flag(name: str) -> None:
    bug_types = SCHEMA["$defs"]["note"]["properties"]["bug_type"]["enum"]
    notes = FILES[name].notes
    rest = [test.flags[0] for _, test in FILES[name] if "Core" not in test.flags]
    assert rest == sorted(rest, key=lambda flag: (bug_types.index(notes[flag]["bug_type"]), flag))


def test_the_page_of_the_flags_is_up_to_date() -> None:
    written = subprocess.run(
        [sys.executable, "-c", "import flags; print(flags.page(), end='')"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert (FOLDER.parent / "docs" / "vectors.md").read_text(encoding="utf-8") == written.stdout, (
        "run python vectors/flags.py"
    )


def test_every_reason_that_one_scheme_can_find_is_there() -> None:
    reasons = {test.reason for file in FILES.values() for _, test in file} - {""}
    assert reasons == {
        *("cannot_sign", "missing", "insecure", "malformed", "unsupported_version"),
        *("stale", "future", "unknown_key", "mismatch"),
    }


def test_published_values_are_there() -> None:
    sources = {group.source for file in FILES.values() for group in file.groups}
    assert all(any(publisher in source for source in sources) for publisher in PUBLISHED)


def test_where_a_ruling_is_stricter_or_laxer_than_a_server_the_test_names_it() -> None:
    for file in FILES.values():
        for _, test in file:
            if "StricterThanServer" in test.flags:
                assert test.result == "invalid"
                assert "Ruling: " in test.comment, test.name
            if "LaxerThanServer" in test.flags:
                assert test.result == "valid"
                assert test.comment, test.name


def test_readme_explains_every_option_reason_and_bug_type() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    options = {option for file in FILES.values() for group in file.groups for option in group.options}
    reasons = {test.reason for file in FILES.values() for _, test in file} - {""}
    bug_types = SCHEMA["$defs"]["note"]["properties"]["bug_type"]["enum"]
    assert [word for word in (*options, *reasons, *bug_types) if f"`{word}`" not in readme] == []


# What the library makes of them


@pytest.mark.parametrize(("scheme", "group", "test"), CASES)
def test_vector(scheme: str, group: vectors.Group, test: vectors.Test) -> None:
    result = vectors.run(scheme, group, test)
    assert result.passed, result.difference


@pytest.mark.long
def test_run_file_runs_all() -> None:
    results = list(vectors.run_file(FILES["gogrid"]))
    assert [result.test for result in results] == [test for _, test in FILES["gogrid"]]
    assert all(result.passed for result in results)


@pytest.mark.skipif(shutil.which("php") is None, reason="needs PHP")
def test_php_recomputes_every_signature() -> None:
    done = subprocess.run(["php", FOLDER / "recompute.php"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) >= 200


# Where they lie, and what load and parse refuse


def test_installed_copy_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_vectors" / "presets").mkdir(parents=True)
    for file in ("schema.json", "README.md", "gogrid.json"):
        shutil.copy(FOLDER / file, tmp_path / "_vectors")
    monkeypatch.setattr(vectors, "files", lambda package: tmp_path)
    assert vectors.names() == ["gogrid"]
    assert vectors.load("gogrid") == FILES["gogrid"]


def test_an_unknown_name() -> None:
    with pytest.raises(ConfigError, match="there are no vectors 'schema'; there are gogrid, gotom, presets/"):
        vectors.load("schema")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"scheme": "gotom", "version": "1.0.0", "notes": {}, "groups": [1]}']
)
def test_a_text_that_is_no_vector_file(text: str) -> None:
    with pytest.raises(ConfigError, match=r"do not keep to schema\.json"):
        vectors.parse(text)


# What the schema catches


@pytest.mark.parametrize(
    ("test", "change"),
    [
        ("get", {"reason": "malformed"}),
        ("get", {"result": "maybe"}),
        ("get", {"patch": {}}),
        ("get", {"name": "Get it"}),
        ("get", {"flags": []}),
        ("get", {"id": 0}),
        ("get", {"surprise": 1}),
        ("get", {"string_to_sign_b64": ""}),
        ("get", {"request": {"method": "GET", "origin": "", "target": "/", "headers": []}}),
        ("get", {"request": {"method": "GET", "origin": "", "target": "/", "headers": [["A", "\u0100"]], "body": ""}}),
        ("get", {"request": {"method": "GET", "origin": "", "target": "/", "headers": [["A"]], "body": ""}}),
        ("cannot-sign-fragment", {"reason": "mismatch"}),
        ("cannot-sign-fragment", {"patch": {"headers": [["A", "b"]]}}),
        ("verify-unknown-key", {"reason": "cannot_sign"}),
        ("verify-unknown-key", {"result": "valid"}),
        ("verify-window-oldest", {"patch": {"headers": [["A", "b"]]}}),
    ],
)
def test_schema_refuses(test: str, change: dict[str, Any]) -> None:
    parsed = document("gotom")
    entry(parsed, test).update(change)
    assert not Draft202012Validator(SCHEMA).is_valid(parsed)


@pytest.mark.parametrize("absent", ["id", "name", "flags", "key_id", "request", "string_to_sign", "patch", "result"])
def test_schema_needs(absent: str) -> None:
    parsed = document("gotom")
    del entry(parsed, "get")[absent]
    assert not Draft202012Validator(SCHEMA).is_valid(parsed)


# What lint catches


def lint(parsed: dict[str, Any]) -> list[str]:
    return vectors.lint(vectors.canonical_json(parsed))


def test_lint_finds_a_name_that_is_there_twice() -> None:
    parsed = document("gotom")
    entry(parsed, "post-json")["name"] = "get"
    assert lint(parsed) == ["the name 'get' is there 2 times"]


def test_lint_finds_an_id_that_is_there_twice() -> None:
    parsed = document("gotom")
    entry(parsed, "post-json")["id"] = entry(parsed, "get")["id"]
    assert lint(parsed) == ["the id 1 is there 2 times"]


def test_lint_finds_a_flag_without_a_note() -> None:
    parsed = document("gotom")
    entry(parsed, "get")["flags"].append("Surprise")
    assert lint(parsed) == ["no note explains the flag Surprise"]


def test_lint_finds_a_note_without_a_test() -> None:
    parsed = document("gotom")
    parsed["notes"]["Surprise"] = parsed["notes"]["Ordinary"]
    assert lint(parsed) == ["no test has the flag Surprise"]


def test_lint_finds_a_key_that_its_group_lacks() -> None:
    parsed = document("gotom")
    entry(parsed, "get")["key_id"] = "nobody"
    assert lint(parsed) == ["get: the group has no key 'nobody'"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n", "\r\n"),
        ("\n }", "\n  }"),
        (r"\u00fc", "ü"),
        ('": ', '":'),
        ('"scheme": "gotom"', '"scheme": "", "scheme": "gotom"'),
    ],
)
def test_lint_finds_another_format(old: str, new: str) -> None:
    text = vectors.read("gotom")
    assert old in text
    assert vectors.lint(text.replace(old, new, 1)) == ["the text is not in its canonical format: see canonical_json"]


def test_canonical_json_orders_keys_and_keeps_pairs_on_a_line() -> None:
    text = vectors.canonical_json(
        {"tests": [], "zeta": {}, "alpha": None, "op": "sign", "headers": [["A", "é"], ["B", ""]]}
    )
    assert text == (
        '{\n "op": "sign",\n "tests": [],\n "headers": [\n  ["A", "\\u00e9"],\n  ["B", ""]\n ],\n'
        ' "alpha": null,\n "zeta": {}\n}\n'
    )


# What run catches


def test_run_finds_another_string_to_sign_and_where() -> None:
    parsed = document("gotom")
    test = entry(parsed, "get")
    test["string_to_sign"] = test["string_to_sign"].replace("application/json", "application/Json")
    assert re.match(
        r"the string to sign differs at byte 49: got \".*application/json.*\", expected \"", difference(parsed, "get")
    )


def test_run_finds_a_string_to_sign_that_ends_too_soon() -> None:
    parsed = document("gotom")
    entry(parsed, "get")["string_to_sign"] += "\n"
    assert difference(parsed, "get").startswith("the string to sign differs at byte 99: ")


def test_run_finds_another_string_to_sign_in_a_request_that_verifies() -> None:
    parsed = document("gogrid")
    entry(parsed, "verify-window-oldest")["string_to_sign"] = "0123456789abcdef\x001699999401"
    assert difference(parsed, "verify-window-oldest").startswith("the string to sign differs at byte 26: ")


def test_run_finds_another_signature() -> None:
    parsed = document("gotom")
    header = entry(parsed, "get")["patch"]["headers"][1]
    header[1] = header[1].replace(":z", ":Z")
    assert difference(parsed, "get") == 'the header "authorization" of the patch differs'


def test_run_finds_another_parameter() -> None:
    parsed = document("gogrid")
    entry(parsed, "get")["patch"]["query"][1][1] = "0" * 32
    assert difference(parsed, "get") == "the query of the patch differs at pair 1"


def test_run_finds_parameters_in_another_place() -> None:
    parsed = document("gogrid")
    patch = entry(parsed, "form")["patch"]
    patch["query"] = patch.pop("form")
    assert difference(parsed, "form") == "the query of the patch differs at pair 0"


@pytest.mark.parametrize(("test", "field"), [("get", "target"), ("form", "body")])
def test_run_finds_another_signed_request(test: str, field: str) -> None:
    parsed = document("gogrid")
    entry(parsed, test)[field] += "&"
    assert difference(parsed, test).startswith(f"the {field} of the signed request differs at byte ")


def test_run_finds_that_a_test_is_signed_after_all() -> None:
    parsed = document("gotom")
    entry(parsed, "cannot-sign-fragment")["request"]["target"] = "/"
    assert difference(parsed, "cannot-sign-fragment") == "it is signed, and cannot_sign is expected"


def test_run_finds_that_a_test_is_not_signed() -> None:
    parsed = document("gotom")
    entry(parsed, "get")["request"]["target"] = "/#"
    assert difference(parsed, "get").startswith("it cannot be signed: the target ")


def test_run_finds_another_reason() -> None:
    parsed = document("gotom")
    entry(parsed, "verify-unknown-key")["reason"] = "mismatch"
    assert difference(parsed, "verify-unknown-key") == (
        "it is refused as unknown_key: no secret is known for the key id, and mismatch is expected"
    )


def test_run_finds_that_a_test_is_valid_after_all() -> None:
    parsed = document("gotom")
    entry(parsed, "verify-window-oldest").update(result="invalid", reason="stale")
    assert difference(parsed, "verify-window-oldest") == "it is valid, and stale is expected"


def test_run_finds_that_a_test_is_invalid() -> None:
    parsed = document("gotom")
    test = entry(parsed, "verify-window-too-old")
    del test["reason"]
    test.update(result="valid", key_id="theusernameyoureceived")
    assert difference(parsed, "verify-window-too-old").endswith(", and valid is expected")


def test_run_finds_another_key() -> None:
    parsed = document("gotom")
    entry(parsed, "verify-window-oldest")["key_id"] = "nobody"
    assert difference(parsed, "verify-window-oldest") == (
        "it verifies for the key 'theusernameyoureceived', and 'nobody' is expected"
    )


def test_run_finds_that_a_signed_request_does_not_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which the library never makes of a request that it signs; so it comes over plain http."""
    monkeypatch.setattr(vectors, "as_received", lambda signed: replace(signed, origin="http://api.gogrid.com"))
    assert difference(document("gogrid"), "get").startswith("the signed request is refused as insecure: ")


def test_a_signed_request_of_unknown_origin_is_verified_over_https() -> None:
    parsed = document("gogrid")
    assert entry(parsed, "origin-unknown")["request"]["origin"] == ""
    assert difference(parsed, "origin-unknown") == ""


def test_no_sentence_and_no_repr_holds_a_secret() -> None:
    parsed = document("gotom")
    for group in parsed["groups"]:
        for test in group["tests"]:
            test["string_to_sign"] = "-"
            test["result"], test["reason"] = ("valid", "") if test["result"] == "invalid" else ("invalid", "stale")
    file = vectors.parse(json.dumps(parsed))
    results = [(group, vectors.run(file.scheme, group, test)) for group, test in file]
    assert not any(result.passed for _, result in results)
    for group, result in results:
        for secret in (secret.decode("latin-1") for secrets in group.keys.values() for secret in secrets):
            if len(secret) > 8:
                assert secret not in result.difference
                assert secret not in repr(group)
