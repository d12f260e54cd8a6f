"""Keyed timestamps, of the port that can make mistakes."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, quote_plus, unquote_to_bytes, urlencode

from .reference import CONTROL, FORM, SIZES, Pairs, Refused, Request, Scheme, Signed


@lru_cache(maxsize=256)  # most mistakes leave them as they are, and a window has 1201 of them
def _digests(algorithm: str, prefix: bytes, seconds: range, wrap: int, width: int, suffix: str) -> tuple[str, ...]:
    begun = hashlib.new(algorithm, prefix, usedforsecurity=False)
    found: list[str] = []
    for second in seconds:
        ended = begun.copy()
        ended.update(f"{second % wrap if wrap else second:0{width}d}{suffix}".encode())
        found.append(ended.hexdigest())
    return tuple(found)


class KeyedTimestamp(Scheme):
    """Keyed timestamps."""

    defaults: ClassVar[dict[str, Any]] = {
        "key_param": "api_key",
        "sig_param": "sig",
        "version_param": "v",
        "version": "1.5",
        "versions": [f"1.{minor}" for minor in range(10)],
        "algorithm": "md5",
        "placement": "auto",
        "methods": ["GET", "POST"],
        "allow_http": False,
        "window": {"past": 600, "future": 600},
    }

    def signatures(self, key_id: str, secret: bytes, seconds: range) -> tuple[str, ...]:
        algorithm = "md5" if self.makes("always-md5") else self.options["algorithm"]
        encoded = key_id.encode("latin-1", "replace") if self.makes("key-id-as-latin-1") else key_id.encode()
        if self.makes("key-id-hashed-escaped"):
            encoded = quote(key_id, safe="").encode()
        if self.makes("key-id-in-lower-case"):
            encoded = encoded.lower()
        prefix = encoded + self.secret(secret)
        width = 10 if self.makes("seconds-padded") else 0
        suffix = ".0" if self.makes("seconds-with-fraction") else ""
        wrap = 2**31 if self.makes("seconds-of-31-bits") else 0
        return _digests(algorithm, prefix, seconds, wrap, width, suffix)

    def sign(self, request: Request, key_id: str, secret: bytes, now: float) -> Signed:
        method = request.method.upper()
        if CONTROL.search(key_id) or (request.origin and not self.is_secure(request) and not self.makes("http-signed")):
            raise Refused("cannot_sign")
        if method not in self.options["methods"] and not self.makes("any-method-taken"):
            raise Refused("cannot_sign")
        headers: Pairs = []
        placement = "auto" if self.makes("placement-ignored") else self.options["placement"]
        if placement == "form" and not self.is_form(request):
            if self.values(request, "content-type") or request.body or method == "GET":
                raise Refused("cannot_sign")
            headers = [("Content-Type", FORM)]
            request = request.setting(headers)
        in_form = placement != "query" and self.is_form(request)
        in_query, form = self.places(request, request.body)
        here, there = (form, in_query) if in_form else (in_query, form)
        names = [name for name, _ in here]
        if there and not self.makes("both-places-signed"):
            raise Refused("cannot_sign")
        if len(set(names)) < len(names) and not self.makes("repeated-parameter-signed"):
            raise Refused("cannot_sign")
        versions = [value for name, value in here if name == self.options["version_param"]]
        if versions and not self.accepts(_text(versions[0])) and not self.makes("any-version-signed"):
            raise Refused("cannot_sign")
        second = self.rounded(now)
        signature = self.signatures(key_id, secret, range(second, second + 1))[0]
        pairs = [(self.options["key_param"], key_id), (self.options["sig_param"], signature)]
        if self.options["version_param"] and (not versions or self.makes("version-of-the-caller-replaced")):
            pairs.append((self.options["version_param"], self.options["version"]))
        if self.makes("version-first"):
            pairs = pairs[2:] + pairs[:2]
        string = f"{key_id}\0{second}".encode()
        if in_form:
            body = self.with_fields(request.body.decode("latin-1"), pairs).encode("latin-1")
            return Signed(request.target, body, string, headers, form=pairs)
        path, _, query = request.target.partition("?")
        return Signed(f"{path}?{self.with_fields(query, pairs)}", request.body, string, headers, query=pairs)

    def with_fields(self, encoded: str, pairs: Pairs) -> str:
        encoded = self.habit("own query", encoded)
        if self.makes("query-rebuilt"):
            encoded = urlencode(parse_qsl(encoded, encoding="latin-1"), encoding="latin-1")
        if self.makes("query-rebuilt-with-blanks"):
            encoded = urlencode(parse_qsl(encoded, True, encoding="latin-1"), encoding="latin-1")
        if self.makes("empty-parts-dropped"):
            encoded = "&".join(filter(None, encoded.split("&")))
        if self.makes("old-parameters-moved-to-the-end"):
            own = {name for name, _ in pairs}
            encoded = "&".join(
                part for part in encoded.split("&") if _text(_unquoted(part.partition("=")[0])) not in own
            )
        for name, value in pairs:
            parts = encoded.split("&")
            names = [part.partition("=")[0] for part in parts]
            decoded = names if self.makes("written-names-compared") else [_text(_unquoted(each)) for each in names]
            if name in decoded and not self.makes("parameters-appended"):
                place = decoded.index(name)
                written = name if self.makes("written-name-replaced") else names[place]
                parts[place] = f"{written}={self.quoted(value)}"
                encoded = "&".join(parts)
            else:
                joint = "" if not encoded or encoded.endswith("&") else "&"
                if self.makes("ampersand-always") or (self.makes("ampersand-after-ampersand") and encoded):
                    joint = "&"
                encoded = f"{encoded}{joint}{self.quoted(name)}={self.quoted(value)}"
        return encoded

    def quoted(self, text: str) -> str:
        if self.has_habit("quoted"):
            return str(self.habit("quoted", text))
        if self.makes("space-as-plus"):
            return quote_plus(text, safe="")
        if self.makes("slash-unescaped"):
            return quote(text)
        if self.makes("tilde-escaped"):
            return quote(text, safe="").replace("~", "%7E")
        if self.makes("escapes-in-lower-case"):
            return re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), quote(text, safe=""))
        if self.makes("parameters-as-latin-1"):
            return quote(text, safe="", encoding="latin-1", errors="replace")
        return text if self.makes("parameters-unescaped") else quote(text, safe="")

    def verify(self, request: Request, keys: dict[str, list[bytes]], now: float) -> str:
        claim = self.claim(request, b"")
        if FORM in self.media_types(request) and not self.makes("query-alone-read"):
            claim = self.claim(request, request.body)
        if claim is None:
            raise Refused("malformed" if self.makes("no-signature-is-malformed") else "missing")
        key_id, signature = claim
        window = {"past": 600, "future": 600} if self.makes("window-option-ignored") else self.options["window"]
        second = self.rounded(now)
        edge = 1 if self.makes("window-ends-excluded") else 0
        first, last = second - window["past"] + edge, second + window["future"] - edge
        if self.makes("own-second-alone"):
            first = last = second
        if self.makes("future-refused"):
            last = second
        if self.makes("last-second-left-out"):
            last -= 1
        secrets = self.secrets(keys, key_id)
        if self.makes("secrets-of-all-keys-tried"):
            secrets = [secret for known in keys.values() for secret in known]
        for secret in secrets:
            expected = self.signatures(key_id, secret, range(first, last + 1))
            if self.has_habit("compared"):
                expected = tuple(self.habit("compared", each) for each in expected)
            if self.habit("compared", signature) in expected:
                return key_id
        raise Refused("stale" if self.makes("mismatch-is-stale") else "mismatch")

    def claim(self, request: Request, body: bytes) -> tuple[str, str] | None:
        in_query, in_form = self.places(request, body)
        if self.makes("form-read-over-query") and in_form:
            in_query = []
        if self.makes("query-read-over-form") and in_query:
            in_form = []
        sent = in_query + in_form
        names = [name for name, _ in sent]
        if self.makes("transport-found-first") and not self.is_secure(request):
            raise Refused("insecure")
        if self.options["sig_param"] not in names:
            return None
        if not self.is_secure(request) and not self.makes("http-taken"):
            raise Refused("malformed" if self.makes("insecure-is-malformed") else "insecure")
        self.check(request, request.target, "malformed")
        if request.method not in self.options["methods"] and not self.makes("any-method-taken"):
            raise Refused("malformed")
        if in_query and in_form and not self.makes("both-places-taken"):
            raise Refused("malformed")
        one = self.makes("first-of-repeated-parameters") or self.makes("last-of-repeated-parameters")
        if len(set(names)) < len(names) and not one:
            raise Refused("malformed")
        found = dict(reversed(sent) if self.makes("first-of-repeated-parameters") else sent)
        if not self.makes("parameters-decoded-leniently") and any(not _is_utf8(value) for value in found.values()):
            raise Refused("malformed")
        version = found.get(self.options["version_param"])
        if self.makes("version-found-first") and version is not None and not self.accepts(_text(version)):
            raise Refused("unsupported_version")
        key_id = self.habit("read key id", _text(found.get(self.options["key_param"], b"")))
        if not key_id or (CONTROL.search(key_id) and not self.makes("control-in-key-id-taken")):
            raise Refused("malformed")
        signature = self.checked_signature(_text(found[self.options["sig_param"]]))
        if self.options["version_param"] is not None:
            if version is None and not self.makes("no-version-taken"):
                raise Refused("unsupported_version" if self.makes("no-version-is-unsupported") else "malformed")
            if version is not None and not self.accepts(_text(version)):
                raise Refused("malformed" if self.makes("bad-version-is-malformed") else "unsupported_version")
        return key_id, signature

    def checked_signature(self, signature: str) -> str:
        size = SIZES[self.options["algorithm"]] * 2
        if self.makes("signature-in-any-case"):
            signature = signature.lower()
        if self.makes("signature-stripped"):
            signature = signature.strip()
        shape = rf"[0-9a-f]{{{size}}}"
        if self.has_habit("compared"):
            return signature
        if self.makes("signature-shape-unchecked"):
            shape = r".*"
        if self.makes("signature-with-any-digits"):
            shape = rf"[\da-f]{{{size}}}"
        if self.makes("signature-with-newline"):
            shape += r"\n?"
        if self.makes("signature-of-any-length"):
            shape = r"[0-9a-f]+"
        if not re.fullmatch(shape, signature, re.DOTALL):
            raise Refused("malformed")
        return signature[:size]

    def is_secure(self, request: Request) -> bool:
        if self.makes("forwarded-proto-believed") and "https" in self.values(request, "x-forwarded-proto"):
            return True
        if self.makes("unknown-origin-taken") and not request.origin:
            return True
        return bool(self.options["allow_http"]) or request.origin.lower().startswith("https://")

    def is_form(self, request: Request) -> bool:
        if self.makes("every-post-is-a-form"):
            return request.method.upper() == "POST"
        if self.makes("empty-form-is-none") and not request.body:
            return False
        if self.makes("get-with-form-type-is-a-form"):
            return FORM in self.media_types(request)
        return request.method.upper() != "GET" and FORM in self.media_types(request)

    def accepts(self, version: str) -> bool:
        version = self.habit("version", version)
        known = {self.options["version"], *self.options["versions"]}
        if self.makes("versions-option-ignored"):
            known = {f"1.{minor}" for minor in range(10)}
        if self.makes("version-as-number"):
            try:
                return float(version) in set(map(float, known))
            except ValueError:
                return False
        if self.makes("version-by-prefix"):
            return version.startswith("1.")
        if self.makes("own-version-alone"):
            return bool(version == self.options["version"])
        if self.makes("versions-with-gap"):
            known -= {"1.7", "1.9"}
        return version in known or (self.makes("version-stripped") and version.strip() in known)

    def places(self, request: Request, body: bytes) -> tuple[list[tuple[str, bytes]], list[tuple[str, bytes]]]:
        form = body.decode("latin-1") if FORM in self.media_types(request) else ""
        return self.fields(self.origin_form(request.target).partition("?")[2]), self.fields(form)

    def fields(self, encoded: str) -> list[tuple[str, bytes]]:
        own = (self.options["key_param"], self.options["sig_param"], self.options["version_param"])
        encoded = self.habit("fields", encoded)
        split = [part.partition("=") for part in encoded.split("&")]
        plus = self.makes("plus-is-plus")
        names = [name if self.makes("escaped-names-unread") else _text(_unquoted(name)) for name, _, _ in split]
        if self.makes("names-in-any-case"):
            names = [name.lower() for name in names]
        names = [self.habit("name", name) for name in names]
        found = [(name, _unquoted(value, plus=plus)) for name, (_, _, value) in zip(names, split, strict=True)]
        return [(name, value) for name, value in found if name in own]


def _unquoted(wire: str, *, plus: bool = False) -> bytes:
    return unquote_to_bytes((wire if plus else wire.replace("+", " ")).encode("latin-1", "replace"))


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
