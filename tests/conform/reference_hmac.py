"""HTTP HMAC 1.0, of the port that can make mistakes."""

from __future__ import annotations

import hmac
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar
from urllib.parse import quote, unquote_to_bytes

from .reference import CONTROL_BUT_TAB, SIZES, UPPER_TO_LOWER, Pairs, Refused, Request, Scheme, Signed, digest
from .reference_dates import date_seconds


class HeaderHmac(Scheme):
    """HTTP HMAC 1.0."""

    defaults: ClassVar[dict[str, Any]] = {
        "provider": "gotom_app_api",
        "algorithm": "sha1",
        "signed_headers": [],
        "drop_blank_headers": False,
        "content_type": "application/json",
        "date_header": "Date",
        "date_precision": "seconds",
        "multipart_as_empty": False,
        "window": {"past": 1800, "future": 1800},
    }

    def string_to_sign(self, request: Request) -> bytes:
        found = self.covered(request, "cannot_sign")
        method = request.method.upper()
        body = digest("md5", self.body(request)).hex()
        if self.makes("body-hashed-with-the-option") and self.options["algorithm"] != "sha1":
            body = digest(self.options["algorithm"], self.body(request)).hex()
        date = found.get(self.options["date_header"].lower(), "")
        content_type = self.folded(found.get("content-type", ""))
        method = self.habit("line method", method)
        content_type = self.habit("content type line", content_type)
        target = self.habit("target", self.target(request))
        return "\n".join((method, body, content_type, date, self.custom(found), target)).encode("latin-1", "replace")

    def body(self, request: Request) -> bytes:
        body, method = request.body, request.method.upper()
        if "multipart/form-data" in self.media_types(request) and not self.makes("multipart-option-ignored"):
            posted = method == "POST" or self.makes("multipart-empty-for-put")
            if (self.options["multipart_as_empty"] and posted) or self.makes("multipart-always-empty"):
                return b""
        wrong = {
            "body-without-trailing-newlines": body.rstrip(b"\n"),
            "body-without-nul": body.replace(b"\0", b""),
            "body-as-text": body.decode("utf-8", "replace").encode(),
            "body-as-latin-1-text": body.decode("latin-1").encode(),
            "body-stripped": body.strip(),
            "body-of-one-piece": body[:128],
            "body-at-names-a-file": b"" if body.startswith(b"@") else body,
            "body-zero-is-none": b"" if body == b"0" else body,
            "body-with-line-feeds": body.replace(b"\r\n", b"\n"),
            "body-of-get-unsigned": b"" if method == "GET" else body,
            "body-of-delete-unsigned": b"" if method == "DELETE" else body,
            "body-of-post-and-put-alone": body if method in ("POST", "PUT") else b"",
        }
        return next((value for mistake, value in wrong.items() if self.makes(mistake)), bytes(self.habit("body", body)))

    def folded(self, content_type: str) -> str:
        if self.makes("content-type-unfolded"):
            return content_type
        if self.makes("content-type-without-parameters"):
            return content_type.partition(";")[0].lower()
        if self.makes("content-type-without-charset"):
            return re.sub(r"; *charset=[^;]*", "", content_type.lower())
        if self.makes("content-type-folded-as-unicode"):
            return content_type.lower()
        if self.makes("content-type-folded-before-parameters"):
            media_type, mark, parameters = content_type.partition(";")
            return media_type.lower() + mark + parameters
        return content_type.translate(UPPER_TO_LOWER)

    def custom(self, found: dict[str, str]) -> str:
        names = self.options["signed_headers"]
        if not self.makes("configured-twice-is-two-lines"):
            names = list(dict.fromkeys(map(str.lower, names) if self.makes("spellings-are-one-line") else names))
        present = [(name, found[name.lower()]) for name in names if name.lower() in found]
        if self.makes("absent-headers-are-empty-lines"):
            present = [(name, found.get(name.lower(), "")) for name in names]
        blank = {"", "0"}
        if self.makes("zero-header-kept"):
            blank = {""}
        if self.makes("zeros-header-dropped"):
            blank = {"", "0", "00"}
        if (self.options["drop_blank_headers"] or self.makes("blank-headers-dropped")) and not self.makes(
            "blank-headers-kept"
        ):
            present = [(name, value) for name, value in present if value not in blank]
        if self.makes("header-lines-sorted-by-name"):
            present.sort(key=lambda pair: pair[0].lower())
        joint = ":" if self.makes("header-lines-without-space") else ": "
        lines = [
            self.habit("custom name", name if self.makes("header-names-unfolded") else name.lower())
            + joint
            + self.habit("custom value", value)
            for name, value in present
        ]
        if not (self.makes("header-lines-unsorted") or self.makes("header-lines-sorted-by-name")):
            lines.sort(reverse=self.makes("header-lines-sorted-downwards"))
        return ("," if self.makes("header-lines-joined-by-comma") else "\n").join(self.habit("lines", lines))

    def target(self, request: Request) -> str:
        target = self.origin_form(request.target)
        path, mark, query = target.partition("?")
        wrong: dict[str, Callable[[], str]] = {
            "target-without-query": lambda: path,
            "target-without-empty-query": lambda: path + (mark if query else "") + query,
            "target-query-sorted": lambda: path + mark + "&".join(sorted(query.split("&"))),
            "target-slashes-collapsed": lambda: re.sub("/+", "/", path) + mark + query,
            "target-escapes-in-upper-case": lambda: re.sub("%[0-9a-f]{2}", lambda match: match[0].upper(), target),
            "target-unreserved-unescaped": lambda: re.sub("%7[eE]|%2[dD]|%41", _unescaped, target),
            "target-decoded": lambda: unquote_to_bytes(path).decode("latin-1") + mark + query,
            "target-brackets-escaped": lambda: re.sub(r"[\[\]{}]", lambda match: quote(match[0]), target),
            "target-quotes-escaped": lambda: re.sub(r"[\"<>^`|\\]", lambda match: quote(match[0]), target),
            "target-globs-expanded": lambda: re.sub(r"\{([^},]*),[^}]*\}", r"\1", target),
            "target-backslash-sequences": lambda: (
                target.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")
            ),
            "target-dots-removed": lambda: re.sub(r"/[^/]+/\.\./|/\./", "/", path) + mark + query,
            "target-plus-as-space": lambda: path + mark + query.replace("+", "%20"),
            "target-trailing-slash-dropped": lambda: (path.rstrip("/") or "/") + mark + query,
            "target-without-script": lambda: re.sub(r"^/[a-z]+\.php", "", target) or "/",
        }
        return next((value() for mistake, value in wrong.items() if self.makes(mistake)), target)

    def signature(self, secret: bytes, string: bytes) -> str:
        algorithm = "sha1" if self.makes("always-sha1") else self.options["algorithm"]
        used = self.secret(secret)
        if self.makes("secret-of-64-bytes-at-most"):
            used = used[:64]
        if self.makes("secret-with-backslash-sequences"):
            used = used.replace(b"\\n", b"\n").replace(b"\\t", b"\t").replace(b"\\\\", b"\\")
        return b64encode(hmac.new(used, string, algorithm).digest()).decode()

    def covered(self, request: Request, reason: str) -> dict[str, str]:
        names = {"content-type", self.options["date_header"].lower(), *map(str.lower, self.options["signed_headers"])}
        folded = {name.replace("_", "-") for name in names}
        found: dict[str, str] = {}
        for given, raw in request.headers:
            name = given.lower()
            value = self.trimmed(raw)
            if name in names:
                if self.makes("header-names-in-one-case") and given != given.title():
                    continue
                self.add(found, name, value, reason)
            elif name.replace("_", "-") in folded and not self.makes("stand-in-taken"):
                if self.makes("stand-in-for-custom-taken") and "content" not in name:
                    continue
                raise Refused(reason)
        return found

    def add(self, found: dict[str, str], name: str, value: str, reason: str) -> None:
        if name in found:
            if self.makes("first-of-repeated-headers"):
                return
            same = self.makes("same-header-twice-taken") and found[name] == value
            if self.makes("repeated-headers-joined"):
                value = f"{found[name]}, {value}"
            elif not same and not self.makes("last-of-repeated-headers"):
                raise Refused(reason)
        clean = r"[\x00-\xff]*" if self.makes("control-in-header-taken") else r"[ -~\x80-\xff]*"
        if self.makes("nul-in-header-taken"):
            clean = r"[\x00 -~\x80-\xff]*"
        if not re.fullmatch(clean, value):
            raise Refused(reason)
        found[name] = value

    def sign(self, request: Request, key_id: str, secret: bytes, now: float) -> Signed:
        date_header = "Date" if self.makes("date-header-option-ignored") else self.options["date_header"]
        headers: Pairs = []
        if not (self.makes("date-of-the-caller-kept") and self.values(request, "date")):
            headers.append((date_header, self.date_text(now)))
        sent = self.values(request, "content-type")
        default = "application/json" if self.makes("content-type-option-ignored") else self.options["content_type"]
        if self.makes("no-content-type-on-get") and request.method == "GET":
            default = ""
        if not sent or (self.makes("empty-content-type-replaced") and sent == [""]):
            headers.append(("Content-Type", default))
        elif self.makes("content-type-sent-folded") and sent[0] != sent[0].lower():
            headers.append(("Content-Type", sent[0].lower()))
        if "host" in map(str.lower, self.options["signed_headers"]) and not self.values(request, "host"):
            if not request.origin and not self.makes("unknown-host-signed"):
                raise Refused("cannot_sign")
            if not self.makes("host-not-set"):
                headers.append(("Host", request.origin.partition("://")[2]))
        string = self.string_to_sign(request.setting(headers))
        credentials = f"{self.escaped(key_id)}:{self.signature(secret, string)}"
        headers.append(("Authorization", f"{self.options['provider']} {credentials}"))
        if self.makes("provider-option-ignored"):
            headers[-1] = ("Authorization", f"gotom_app_api {credentials}")
        return Signed(request.target, request.body, string, headers)

    def escaped(self, key_id: str) -> str:
        if self.makes("key-id-stripped"):
            key_id = key_id.strip()
        if self.makes("key-id-as-latin-1"):
            return re.sub(r"([\\:])", r"\\\1", key_id)
        on_the_wire = key_id.encode().decode("latin-1")
        if self.makes("key-id-unescaped"):
            return on_the_wire
        if self.makes("key-id-colons-escaped-alone"):
            return on_the_wire.replace(":", "\\:")
        if self.makes("key-id-first-colon-escaped-alone"):
            return on_the_wire.replace("\\", "\\\\").replace(":", "\\:", 1)
        if self.makes("key-id-colons-escaped-first"):
            return on_the_wire.replace(":", "\\:").replace("\\", "\\\\")
        if self.makes("key-id-percent-encoded"):
            return quote(key_id, safe="@")
        return re.sub(r"([\\:])", r"\\\1", on_the_wire)

    def date_text(self, now: float) -> str:
        precise = self.options["date_precision"] == "milliseconds" and not self.makes("date-precision-ignored")
        second = self.rounded(now)
        millisecond = min(round((now - second) * 1_000_000) // 1000, 999)
        if self.makes("milliseconds-rounded"):
            millisecond = round((now - second) * 1000)
        try:
            at = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=second)
        except OverflowError:
            if self.makes("year-10000-signed"):
                return "+010000-01-01T00:00:00Z"
            raise Refused("cannot_sign") from None
        text = at.replace(tzinfo=None).isoformat()
        if self.makes("year-unpadded"):
            text = text.lstrip("0")
        return str(self.habit("date text", text + (f".{millisecond:03d}" if precise else "") + "Z"))

    def verify(self, request: Request, keys: dict[str, list[bytes]], now: float) -> str:
        key_id, signature = self.credentials(request)
        found = self.covered(request, "malformed")
        if self.makes("unknown-key-found-first"):
            self.secrets(keys, key_id)
        text = found.get(self.options["date_header"].lower(), "")
        at = date_seconds(text, now, self.makes)
        if at is None and self.has_habit("date taken") and self.habit("date taken", text):
            at = now
        if self.has_habit("date refused") and self.habit("date refused", text):
            at = None
        if at is None or ("content-type" not in found and not self.makes("no-content-type-taken")):
            raise Refused("malformed")
        if not self.makes("window-found-first"):
            self.check_head(request)
        self.check_window(now, at)
        self.check_head(request)
        string = self.string_to_sign(request)
        for secret in self.secrets(keys, key_id):
            expected = self.signature(secret, string)
            if self.habit("compared", expected) == self.habit("compared", signature) or (
                self.makes("signature-decoded") and _decoded(expected) == _decoded(signature)
            ):
                return key_id
        raise Refused("mismatch")

    def check_head(self, request: Request) -> None:
        if request.method != request.method.upper() and not self.makes("method-in-any-case"):
            raise Refused("malformed")
        self.check(request, request.target, "malformed")

    def check_window(self, now: float, at: float) -> None:
        window = {"past": 1800, "future": 1800} if self.makes("window-option-ignored") else self.options["window"]
        past, future = window["past"], window["future"]
        if self.makes("window-of-past-both-ways"):
            future = past
        age = math.floor(now) - math.floor(at)
        if self.makes("clock-rounded"):
            age = round(now) - math.floor(at)
        if self.makes("window-with-fractions"):
            age = now - at  # type: ignore[assignment]
        edge = 1 if self.makes("window-ends-excluded") else 0
        if age > past - edge and not self.makes("old-taken"):
            raise Refused("stale")
        if -age > future - edge and not self.makes("future-taken"):
            raise Refused("stale" if self.makes("future-is-stale") else "future")

    def credentials(self, request: Request) -> tuple[str, str]:
        provider = self.options["provider"]
        sent = [self.habit("authorization", value) for value in self.values(request, "authorization")]
        provider = self.habit("provider", provider)
        space = "" if self.makes("provider-as-prefix") else " "
        if not any(value == provider or value.startswith(provider + space) for value in sent):
            raise Refused("malformed" if self.makes("no-authorization-is-malformed") else "missing")
        if len(sent) > 1 and not self.makes("first-authorization-alone"):
            raise Refused("malformed")
        size = SIZES["sha1" if self.makes("signature-size-of-sha1") else self.options["algorithm"]]
        shape = f"[A-Za-z0-9+/]{{{(size * 4 + 2) // 3}}}={{{-size % 3}}}"
        if self.has_habit("compared") or self.makes("signature-shape-unchecked") or self.makes("signature-decoded"):
            shape = r"[^:]*"
        rest = sent[0][len(provider) + 1 :]
        if self.makes("spaces-after-provider-skipped"):
            rest = rest.lstrip(" ")
        key_id = r"(?:[^\\:]|\\[\\:])+"
        if self.makes("needless-escapes-taken"):
            key_id = r"(?:[^\\:]|\\.)+"
        if self.makes("key-id-with-bare-colons-taken"):
            key_id = r"(?:[^\\]|\\[\\:])+"
        if self.makes("key-id-empty-taken"):
            key_id = r"(?:[^\\:]|\\[\\:])*"
        behind = r"(?::.*)?" if self.makes("second-colon-taken") else ""
        match = re.fullmatch(f"({key_id}):({shape}){behind}", rest, re.DOTALL)
        if match is None:
            raise Refused("malformed")
        read = match[1] if self.makes("key-id-read-escaped") else re.sub(r"\\(.)", r"\1", match[1])
        if self.makes("key-id-zero-is-none") and read == "0":
            raise Refused("malformed")
        try:
            text = read.encode("latin-1").decode("latin-1" if self.makes("key-id-read-as-latin-1") else "utf-8")
        except UnicodeDecodeError:
            raise Refused("malformed") from None
        if self.makes("key-id-read-stripped"):
            text = text.strip()
        if CONTROL_BUT_TAB.search(text) and not self.makes("control-in-key-id-taken"):
            raise Refused("malformed")
        return self.habit("read key id", text), match[2]


def _unescaped(match: re.Match[str]) -> str:
    return unquote_to_bytes(match[0]).decode("latin-1")


def _decoded(signature: str) -> bytes:
    kept = re.sub("[^A-Za-z0-9+/]", "", signature.replace("-", "+").replace("_", "/"))
    return b64decode(kept[: len(kept) - (len(kept) % 4 == 1)] + "=" * (-len(kept) % 4))
