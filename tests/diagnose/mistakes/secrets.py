"""What goes wrong with secrets on their way from a page through a shell, a file and a library."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

from .client import unbase64
from .kinds import Mistake

SPACE = "secret-whitespace"
QUOTED = "secret-quoting|secret-encoding"
CUT = "secret-cut"
NAMED = "secret-quoting"
FORM = "secret-encoding"


def cut(mark: str) -> Callable[[str], str]:
    return lambda secret: secret.partition(mark)[0] or secret


def secret(what: str, names: str, change: Callable[[str], Any], needs: str = "") -> Mistake:
    return Mistake("secret", what, names, {"secret": change}, needs)


SECRETS = [
    secret("a newline behind", SPACE, lambda s: s + "\n", "text"),
    secret("CRLF behind", SPACE, lambda s: s + "\r\n", "text"),
    secret("a space in front", SPACE, lambda s: " " + s, "text"),
    secret("a space behind", SPACE, lambda s: s + " ", "text"),
    secret("spaces around", SPACE, lambda s: f" {s} ", "text"),
    secret("a tab behind", SPACE, lambda s: s + "\t", "text"),
    secret("a byte order mark", SPACE, lambda s: "\ufeff" + s, "text"),
    secret("a no-break space", SPACE, lambda s: s + "\xa0", "text"),
    secret("a zero-width space", SPACE, lambda s: s + "\u200b", "text"),
    secret("double quotes", QUOTED, lambda s: f'"{s}"', "text"),
    secret("single quotes", QUOTED, lambda s: f"'{s}'", "text"),
    secret("b'…'", QUOTED, lambda s: str(s.encode()), "text"),
    secret("curly quotes", QUOTED, lambda s: f"“{s}”", "text"),
    secret("angle brackets", QUOTED, lambda s: f"<{s}>", "text"),
    secret("quotes and a newline", f"{QUOTED}|{SPACE}", lambda s: f'"{s}"\n', "text"),
    secret("a literal \\n", f"{QUOTED}|{SPACE}", lambda s: s + "\\n", "text"),
    secret("$SECRET in single quotes", NAMED, lambda _: "$SECRET", "text"),
    secret("${API_SECRET}", NAMED, lambda _: "${API_SECRET}", "text"),
    secret("%SECRET% of cmd", NAMED, lambda _: "%SECRET%", "text"),
    secret("{{secret}} of Postman", NAMED, lambda _: "{{secret}}", "text"),
    secret("YOUR_SECRET", NAMED, lambda _: "YOUR_SECRET", "text"),
    secret("undefined", NAMED, lambda _: "undefined", "text"),
    secret("null", NAMED, lambda _: "null", "text"),
    secret("None", NAMED, lambda _: "None", "text"),
    secret("empty, the variable is not set", f"{NAMED}|{FORM}", lambda _: "", "text"),
    secret("cut at =", CUT, cut("="), "text"),
    secret("cut at # as a comment", f"{CUT}|{SPACE}", cut("#"), "text"),
    secret("cut at # and trimmed", f"{CUT}|{SPACE}", lambda s: cut("#")(s).strip(), "text"),
    secret("$word expanded to nothing", CUT, lambda s: s.replace("$word", ""), "text"),
    secret("cut at &", CUT, cut("&"), "text"),
    secret("+ read as a space", QUOTED, lambda s: s.replace("+", " "), "text"),
    secret("+ read as a space, then decoded", f"{QUOTED}|{FORM}", lambda s: s.replace("+", " "), "encoded"),
    secret("escaped", FORM, lambda s: quote(s, safe=""), "text"),
    secret("escaped as a form", FORM, quote_plus, "text"),
    secret("HTML escaped", QUOTED, html.escape, "text"),
    secret("lower case", FORM, str.lower, "text"),
    secret("upper case", FORM, str.upper, "text"),
    secret("decoded from base64", FORM, lambda s: unbase64(s) if s.endswith("=") else s, "text"),
    secret(
        "decoded from hex",
        FORM,
        lambda s: bytes.fromhex(s) if len(s) == 32 and s.isalnum() and s.isascii() else s,
        "text",
    ),
    secret("not decoded", FORM, str.encode, "encoded"),
    secret("prefix not taken off, not decoded", FORM, lambda s: s.encode(), "standard-webhooks"),
    secret("prefix taken off and not decoded", FORM, lambda s: s.removeprefix("whsec_").encode(), "standard-webhooks"),
    secret("prefix taken off", f"{FORM}|secret-cut", lambda s: s.removeprefix("whsec_"), "stripe"),
    secret("decoded twice", FORM, lambda s: unbase64(unbase64(s).decode("latin-1")), "encoded"),
    secret("decoded from hex where base64 is right", FORM, lambda s: s.encode().hex().encode(), "encoded"),
    secret("encoded in base64", FORM, lambda s: base64.b64encode(s.encode()), "text"),
    secret("encoded in hex", FORM, lambda s: s.encode().hex(), "text"),
    secret("decoded, then hex", FORM, lambda s: unbase64(s).hex().encode(), "encoded"),
    secret("a newline behind, not decoded", f"{SPACE}|{FORM}", lambda s: (s + "\n").encode(), "encoded"),
    secret("Latin-1", FORM, lambda s: s.encode("latin-1"), "text"),
    secret("UTF-16", FORM, lambda s: s.encode("utf-16-le"), "text"),
    secret("UTF-8 twice", FORM, lambda s: s.encode().decode("latin-1").encode(), "text"),
    secret("? for letters", FORM, lambda s: s.encode("ascii", "replace"), "text"),
    secret("md5 of the secret", f"{FORM}|algorithm", lambda s: hashlib.md5(s.encode()).hexdigest(), "text"),  # noqa: S324
    secret("sha256 of the secret", f"{FORM}|algorithm", lambda s: hashlib.sha256(s.encode()).hexdigest(), "text"),
    secret("a backslash before the dollar sign", QUOTED, lambda s: s.replace("$", "\\$"), "text"),
    secret("$$ for $, as in a Makefile", QUOTED, lambda s: s.replace("$", "$$"), "text"),
    secret("an & behind it, as in OAuth", f"{QUOTED}|{CUT}|separator", lambda s: s + "&", "text"),
    secret("cut at %", CUT, cut("%"), "text"),
    secret("a newline in front", SPACE, lambda s: "\n" + s, "text"),
    secret("a carriage return behind", SPACE, lambda s: s + "\r", "text"),
    secret("two newlines behind", SPACE, lambda s: s + "\n\n", "text"),
    secret("the last letter lost in copying", CUT, lambda s: s[:-1], "text"),
    secret("the first letter lost in copying", CUT, lambda s: s[1:], "text"),
    secret("cut to 16 letters", CUT, lambda s: s[:16], "text"),
    secret("cut to 20 letters", CUT, lambda s: s[:20], "text"),
    secret("cut at a space", CUT, cut(" "), "text"),
    secret("backquotes", QUOTED, lambda s: f"`{s}`", "text"),
    secret("a comma or semicolon behind", QUOTED + "|" + CUT, lambda s: s + ";", "text"),
    secret("JSON escaped", QUOTED, lambda s: json.dumps(s)[1:-1], "text"),
    secret("$SECRET in braces of a template", NAMED, lambda _: "<SECRET>", "text"),
    secret("$API_KEY", NAMED, lambda _: "$API_KEY", "text"),
    secret("%s", NAMED, lambda _: "%s", "text"),
    secret("changeme", NAMED, lambda _: "changeme", "text"),
    secret("[object Object]", NAMED, lambda _: "[object Object]", "text"),
    secret("false", NAMED, lambda _: "false", "text"),
    secret("twice", f"{QUOTED}|{CUT}|part-missing", lambda s: s + s, "text"),
    secret("its name in front", QUOTED + "|" + CUT, lambda s: "SECRET=" + s, "text"),
    secret("without its padding", f"{CUT}|{FORM}", lambda s: s.rstrip("="), "text"),
    secret("url-safe letters", FORM, lambda s: s.replace("+", "-").replace("/", "_"), "text"),
    secret(
        "encoded in base64 with a newline before",
        f"{FORM}|{SPACE}",
        lambda s: base64.b64encode((s + "\n").encode()),
        "text",
    ),
    secret("a newline behind, then escaped", f"{FORM}|{SPACE}", lambda s: quote(s + "\n", safe=""), "text"),
]
