"""Write the vectors of a preset from what an API has published: `python vectors/make_preset.py CASES.json [FOLDER]`.

The file says what each request is, what is signed, and what is sent; the signature is computed here with hashlib and
hmac alone, and has to be the published one where there is one. The result is `presets/NAME.json`: each case signed,
verified, and refused with one character of its signature changed.

    {"scheme": "bokun", "links": ["https://…"], "version": "1.0.0", "cases": [{
      "name": "doc-example", "source": "…, published", "now": 1384007626, "options": {}, "key_id": "…", "secret": "…",
      "nonce": "", "extra": {}, "method": "POST", "url": "https://…", "headers": [["Name", "value"]], "body": "",
      "string_to_sign": "…", "mac": "hmac-sha1", "encoding": "base64", "secret_form": "text", "signature": "…",
      "sent": {"headers": [["X-Bokun-Signature", "{signature}"]], "query": [], "form": []}, "target": "…"}]}

In what is sent `{basic:KEY}` stands for the base64 of KEY, a colon and the signature. Where the secret is a part of the
string a NUL stands for it. A case may have `"signed_body"` where the body changes, `"verifies": false` where it may be
signed and not verified, and `"signs": false` where it is the other way round. `hmac_key_b64` is the MAC's key where it
is derived.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from undersign.vectors import canonical_json

_BASIC = re.compile(r"\{basic:([^}]*)\}")
_NOTES = {
    "Published": "The request is that of the API's own page, or of a client that is tested against it.",
    "Tampered": "One character of the signature is another one, so no secret has made it.",
}


def main(cases_file: Path, folder: Path) -> None:
    """Write the vectors into the folder and print where they are."""
    given = json.loads(cases_file.read_text(encoding="utf-8"))
    groups = [group for number, case in enumerate(given["cases"]) for group in _groups(case, 10 * number)]
    notes = {
        "Published": {"bug_type": "BASIC", "counterpart": "Tampered"},
        "Tampered": {"bug_type": "AUTH_BYPASS", "counterpart": "Published"},
    }
    for name, note in notes.items():
        note |= {"description": _NOTES[name], "source": given["cases"][0]["source"], "links": given["links"]}
    document = {"scheme": given["scheme"], "version": given.get("version", "1.0.0"), "notes": notes, "groups": groups}
    target = folder / f"{given['scheme']}.json"
    target.write_text(canonical_json(document), encoding="ascii")
    sys.stdout.write(f"{target}\n")


def _groups(case: dict[str, Any], before: int) -> list[dict[str, Any]]:
    signature = _signature(case)
    if case.get("signature") not in (None, signature):
        raise SystemExit(f"{case['name']}: the signature is {signature}, and {case['signature']} is published")
    request = _request(case)
    patch, signed = _applied(case, request, signature)
    shared = {"source": case["source"], "options": case.get("options", {}), "now": case["now"]}
    shared["keys"] = {case["key_id"]: [case["secret"]]}
    test = {"id": before + 1, "name": f"{case['name']}-signs", "flags": ["Published"], "key_id": case["key_id"]}
    test |= {name: case[name] for name in ("nonce", "extra") if case.get(name)}
    string = next(name for name in ("string_to_sign", "string_to_sign_b64") if name in case)
    test |= {"request": request, string: case[string], "patch": patch, "result": "valid"}
    if signed["target"] != request["target"]:
        test["target"] = signed["target"]
    if signed["body"] != request["body"]:
        test["body"] = signed["body"]
    groups = [{"op": "sign", **shared, "tests": [test]}] if case.get("signs", True) else []
    if case.get("verifies", True):
        good = {"id": before + 2, "name": f"{case['name']}-verifies", "flags": ["Published"], "key_id": case["key_id"]}
        other = ("0" if signature[0] != "0" else "1") + signature[1:]
        _, tampered = _applied(case, request, other)
        bad = {"id": before + 3, "name": f"{case['name']}-tampered", "flags": ["Tampered"], "request": tampered}
        tests = [{**good, "request": signed, "result": "valid"}, {**bad, "result": "invalid", "reason": "mismatch"}]
        groups.append({"op": "verify", **shared, "tests": tests})
    return groups


def _signature(case: dict[str, Any]) -> str:
    secret = case["secret"]
    form = case.get("secret_form", "text")
    if "hmac_key_b64" in case:
        key = base64.b64decode(case["hmac_key_b64"])
    elif form == "base64":
        key = base64.b64decode(secret)
    else:
        key = secret.encode() if form == "text" else bytes.fromhex(secret)
    kind, _, algorithm = case["mac"].partition("-")
    if "string_to_sign_b64" in case:
        string = base64.b64decode(case["string_to_sign_b64"])
    else:
        string = case["string_to_sign"].replace("\0", secret).encode()
    digest = hmac.new(key, string, algorithm).digest() if kind == "hmac" else hashlib.new(algorithm, string).digest()
    encoded = {
        "hex": digest.hex(),
        "HEX": digest.hex().upper(),
        "base64": base64.b64encode(digest).decode(),
        "base64url": base64.urlsafe_b64encode(digest).decode(),
        "base64url-nopad": base64.urlsafe_b64encode(digest).decode().rstrip("="),
    }
    return encoded[case["encoding"]]


def _request(case: dict[str, Any]) -> dict[str, Any]:
    url = urlsplit(case["url"])
    target = case["url"].partition("://")[2].partition("/")[2]
    request = {"method": case["method"], "origin": f"{url.scheme}://{url.netloc}", "target": f"/{target}"}
    return {**request, "headers": case.get("headers", []), "body": case.get("body", "")}


def _applied(case: dict[str, Any], request: dict[str, Any], signature: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The patch, and the request with it: headers and fields that are there already give way."""
    patch = {
        place: [
            [name, _BASIC.sub(partial(_basic, signature), value.replace("{signature}", signature))]
            for name, value in pairs
        ]
        for place, pairs in case["sent"].items()
        if pairs
    }
    names = {name.lower() for name, _ in patch.get("headers", [])}
    headers = [pair for pair in request["headers"] if pair[0].lower() not in names] + patch.get("headers", [])
    target = case.get("target", "").replace("{signature}", quote(signature, safe="")) or request["target"]
    if "query" in patch and "target" not in case:
        target += ("&" if "?" in target else "?") + _encoded(patch["query"])
    body = case.get("signed_body", request["body"]).replace("{signature}", quote(signature, safe=""))
    if "form" in patch and "signed_body" not in case:
        body += ("&" if body else "") + _encoded(patch["form"])
    return patch, {**request, "headers": headers, "target": target, "body": body}


def _basic(signature: str, match: re.Match[str]) -> str:
    return base64.b64encode(f"{match[1]}:{signature}".encode()).decode()


def _encoded(pairs: list[list[str]]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "presets")
