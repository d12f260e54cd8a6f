"""Test vectors: load them, hold them to their form, run them through the library.

They are JSON files made for ports to other languages; `vectors/README.md` describes the format.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..core.credentials import Credential
from ..core.grammar import did_you_mean
from ..core.message import Pairs, Patch, Request
from ..errors import CannotSign, ConfigError, Rejected, UndersignError
from ..recipe import Recipe
from ..registry import build_scheme
from ..scheme import Claim, Scheme
from ..signing import sign
from ..verifying.verdict import Verified
from ..verifying.verifier import Verifier
from .differences import difference_when_signed, string_difference

if TYPE_CHECKING:
    if sys.version_info >= (3, 11):
        from importlib.resources.abc import Traversable
    else:
        from importlib.abc import Traversable

__all__ = [
    "Group",
    "Result",
    "Test",
    "VectorFile",
    "canonical_json",
    "check_schema",
    "lint",
    "load",
    "names",
    "parse",
    "read",
    "run",
    "run_file",
    "shipped",
]

RECIPES = "recipes"
"""The name of the vectors of recipes: what each of their parts and carriers comes to."""

_SOME_ORIGIN = "https://server.example"

_KEY_ORDER = (
    *("scheme", "version", "description", "bug_type", "counterpart", "notes", "groups"),
    *("op", "source", "links", "recipe", "options", "now", "keys", "tests"),
    *("id", "name", "flags", "comment", "key_id", "nonce", "extra", "method", "origin", "request"),
    *("string_to_sign", "string_to_sign_b64", "patch", "target", "headers", "query", "form", "body", "body_b64"),
    *("result", "reason"),
)


@dataclass(frozen=True, slots=True)
class Test:
    """One request with what must become of it.

    `reason` is empty where the result is valid. `string_to_sign` and `patch` are None where none is given;
    `target` and `body` are those of the signed request. `nonce` and `extra` are the signer's, where the scheme sends
    them.
    """

    id: int
    name: str
    flags: tuple[str, ...]
    comment: str
    request: Request
    result: Literal["valid", "invalid"]
    reason: str
    key_id: str
    string_to_sign: bytes | None
    patch: Patch | None
    target: str
    body: bytes
    nonce: str = ""
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Tests that share what is done (`op`), the scheme's options or the recipe, the keys and the clock.

    `keys` are the secrets by key id, newest first. `source` names what computed the expected values. `recipe` is the
    scheme as a document, where it is not one that the file names.
    """

    op: Literal["sign", "verify"]
    source: str
    options: Mapping[str, Any]
    now: float
    keys: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    tests: tuple[Test, ...]
    recipe: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class VectorFile:
    """The vectors of one scheme. `version` is their own, `notes` explain the flags of the tests."""

    scheme: str
    version: str
    notes: Mapping[str, Mapping[str, Any]]
    groups: tuple[Group, ...]

    def __iter__(self) -> Iterator[tuple[Group, Test]]:
        return ((group, test) for group in self.groups for test in group.tests)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a test: `difference` is empty where it passed, else a sentence without a secret in it."""

    test: Test
    difference: str = ""

    @property
    def passed(self) -> bool:
        return not self.difference


def names() -> list[str]:
    """The names of the vector files that come with the library: those of the two families, which ports are held to."""
    return _names_in(_folder())


def preset_names() -> list[str]:
    """The names of the vector files of the presets: `presets/slack`. They hold what APIs have published."""
    return [f"presets/{name}" for name in _names_in(_folder() / "presets")]


def _names_in(folder: Traversable) -> list[str]:
    found = (entry.name for entry in folder.iterdir() if entry.name not in ("schema.json", f"{RECIPES}.json"))
    return sorted(name.removesuffix(".json") for name in found if name.endswith(".json"))


def read(name: str) -> str:
    """The text of the vector file of that name. Raises ConfigError where there is none."""
    known = [*names(), *preset_names(), RECIPES]
    if name not in known:
        raise ConfigError(f"there are no vectors {name!r}{did_you_mean(name, known)}; there are {', '.join(known)}")
    return _folder().joinpath(*f"{name}.json".split("/")).read_text(encoding="utf-8")


def load(name: str) -> VectorFile:
    """The vectors of that name. Raises ConfigError where there are none."""
    return parse(read(name))


def parse(text: str) -> VectorFile:
    """The vectors in a text that keeps to `schema.json`. Raises ConfigError where it clearly does not."""
    try:
        document = json.loads(text)
        groups = tuple(_group(group) for group in document["groups"])
        return VectorFile(document["scheme"], document["version"], document["notes"], groups)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"the vectors do not keep to schema.json: {type(error).__name__}: {error}") from None


def shipped() -> dict[str, bytes]:
    """The content of all files that come with the library, by name: the vectors, their schema, what describes them."""
    found = sorted((entry for entry in _folder().iterdir() if entry.is_file()), key=lambda entry: entry.name)
    return {entry.name: entry.read_bytes() for entry in found if entry.name.endswith((".json", ".md"))}


def check_schema(text: str) -> list[str] | None:
    """Where the text of a vector file does not keep to `schema.json`; None where jsonschema is not there to tell."""
    try:
        from jsonschema import Draft202012Validator
    except ModuleNotFoundError:
        return None
    validator = Draft202012Validator(json.loads((_folder() / "schema.json").read_text(encoding="utf-8")))
    errors = validator.iter_errors(json.loads(text))
    return [f"{error.json_path} does not keep to the schema: {error.validator}" for error in errors]


def lint(text: str) -> list[str]:
    """What is wrong with the text of a vector file that `schema.json` cannot say, as sentences."""
    file = parse(text)
    ids = Counter(test.id for _, test in file)
    test_names = Counter(test.name for _, test in file)
    flags = Counter(flag for _, test in file for flag in test.flags)
    found = [f"the id {number} is there {times} times" for number, times in ids.items() if times > 1]
    found += [f"the name {name!r} is there {times} times" for name, times in test_names.items() if times > 1]
    found += [f"no note explains the flag {flag}" for flag in flags if flag not in file.notes]
    found += [f"no test has the flag {flag}" for flag in file.notes if flag not in flags]
    found += _one_sided(file)
    for group, test in file:
        if test.key_id and test.key_id not in group.keys:
            found.append(f"{test.name}: the group has no key {test.key_id!r}")
    if text != canonical_json(json.loads(text)):
        found.append("the text is not in its canonical format: see canonical_json")
    return found


def _one_sided(file: VectorFile) -> list[str]:
    """A rule needs a test that keeps to it and one that breaks it, its own or those of the rule it is opposed to."""
    results = {(flag, test.result) for _, test in file for flag in test.flags}
    found: list[str] = []
    for flag, note in file.notes.items():
        if not {(flag, "valid"), (flag, "invalid")} & results:
            continue  # which `lint` says already
        counterpart = note.get("counterpart", flag)
        if counterpart not in file.notes:
            found.append(f"the counterpart of {flag}, {counterpart}, has no note")
        absent = [one for one in ("valid", "invalid") if not results & {(flag, one), (counterpart, one)}]
        found += [f"no test of {flag} or its counterpart is {result}" for result in absent]
    return found


def canonical_json(document: Any) -> str:
    """The one way in which vectors are written, so that a change of one value is a change of one line.

    ASCII alone, one space of indent, keys in the order of the format and then of the alphabet. Lists of plain
    values stand on one line, and so do empty lists and objects.
    """
    return _written(document, "\n") + "\n"


def run(scheme_name: str, group: Group, test: Test) -> Result:
    """Run one test through the library.

    A sign test compares the string to sign, the patch and the signed request, which then has to verify. Raises
    ConfigError for options that the scheme does not have.
    """
    scheme = build_scheme(scheme_name, group.options) if group.recipe is None else Recipe.from_mapping(group.recipe)
    outcome = _run_sign if group.op == "sign" else _run_verify
    try:
        return Result(test, outcome(scheme, group, test))
    except UndersignError as error:
        return Result(test, f"{type(error).__name__}: {error}")


def run_file(file: VectorFile) -> Iterator[Result]:
    """Run all tests of a file."""
    return (run(file.scheme, group, test) for group, test in file)


def _run_sign(scheme: Scheme, group: Group, test: Test) -> str:
    try:
        credential = Credential(test.key_id, group.keys[test.key_id][0], extra=test.extra)
        patch = sign(scheme, test.request, credential, now=group.now, nonce=test.nonce)
    except (CannotSign, ConfigError) as error:  # ConfigError: of a key id or a secret that is none
        return "" if test.reason == "cannot_sign" else f"it cannot be signed: {error}"
    if test.result == "invalid":
        return f"it is signed, and {test.reason} is expected"
    _, string = scheme.draft(test.request, Claim(test.key_id, group.now, nonce=test.nonce, extra=credential.extra))
    signed = patch.apply(test.request)
    body = signed.body if isinstance(signed.body, bytes) else b""
    if difference := difference_when_signed(test, string, patch, signed.target, body):
        return difference
    try:
        _verify(scheme, group, as_received(signed))
    except Rejected as rejected:
        return f"the signed request is refused as {rejected}"
    return ""


def _run_verify(scheme: Scheme, group: Group, test: Test) -> str:
    try:
        verified = _verify(scheme, group, test.request)
    except Rejected as rejected:
        if rejected.reason.value == test.reason:
            return ""
        return f"it is refused as {rejected}, and {test.reason or 'valid'} is expected"
    if test.result == "invalid":
        return f"it is valid, and {test.reason} is expected"
    if verified.key_id != test.key_id:
        return f"it verifies for the key {verified.key_id!r}, and {test.key_id!r} is expected"
    return string_difference(test, verified.signed)


def as_received(signed: Request) -> Request:
    """The signed request as a server has it: with the method that is signed, and of an origin that it knows."""
    return replace(signed, method=signed.method.upper(), origin=signed.origin or _SOME_ORIGIN)


def _verify(scheme: Scheme, group: Group, request: Request) -> Verified:
    # A lookup and not the mapping itself, since vectors may hold an empty secret.
    return Verifier(scheme, lambda key_id, _: group.keys.get(key_id), clock=lambda: group.now).verify(request)


def _group(group: dict[str, Any]) -> Group:
    keys = {key_id: tuple(map(_secret, secrets)) for key_id, secrets in group["keys"].items()}
    tests = tuple(map(_test, group["tests"]))
    return Group(group["op"], group["source"], group["options"], group["now"], keys, tests, group.get("recipe"))


def _test(test: dict[str, Any]) -> Test:
    given = test["request"]
    body = _bytes(given, "body") or b""
    request = Request(given["method"], given["target"], _pairs(given["headers"]), body, given["origin"])
    patch = test.get("patch")
    signed_body = _bytes(test, "body")
    return Test(
        id=test["id"],
        name=test["name"],
        flags=tuple(test["flags"]),
        comment=test.get("comment", ""),
        request=request,
        result=test["result"],
        reason=test.get("reason", ""),
        key_id=test.get("key_id", ""),
        string_to_sign=_bytes(test, "string_to_sign"),
        patch=None if patch is None else Patch(*(_pairs(patch.get(part, ())) for part in ("headers", "query", "form"))),
        target=test.get("target", request.target),
        body=body if signed_body is None else signed_body,
        nonce=test.get("nonce", ""),
        extra=test.get("extra", {}),
    )


def _secret(secret: str | dict[str, str]) -> bytes:
    return secret.encode() if isinstance(secret, str) else b64decode(secret["secret_b64"], validate=True)


def _bytes(holder: dict[str, Any], name: str) -> bytes | None:
    if name in holder:
        return str.encode(holder[name])
    return b64decode(holder[f"{name}_b64"], validate=True) if f"{name}_b64" in holder else None


def _pairs(pairs: list[list[str]]) -> Pairs:
    return tuple((name, value) for name, value in pairs)


def _written(value: Any, line: str) -> str:
    deeper = line + " "
    if isinstance(value, dict) and value:
        keys = sorted(value, key=lambda key: (_KEY_ORDER.index(key) if key in _KEY_ORDER else len(_KEY_ORDER), key))
        items = [f"{json.dumps(key)}: {_written(value[key], deeper)}" for key in keys]
        return "{" + deeper + f",{deeper}".join(items) + line + "}"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return "[" + deeper + f",{deeper}".join(_written(item, deeper) for item in value) + line + "]"
    return json.dumps(value)


def _folder() -> Traversable:
    shipped = files("undersign") / "_vectors"
    # An editable install has no copy: there they lie in the repository, beside `src`.
    return shipped if shipped.is_dir() else Path(__file__).parents[3] / "vectors"
