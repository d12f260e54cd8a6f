"""How signatures are compared, lines sorted, and headers and versions read."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64decode
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from .habit import Text


# How signatures are compared: what is made of both before they are.
def _number(text: str) -> str:
    return "0" if re.fullmatch(r"0+e[0-9]+", text) else text


COMPARES: Mapping[str, tuple[str, Text]] = {
    "php-equal-as-numbers": ("PHP", _number),
    "php-strcasecmp": ("PHP", str.lower),
    "c-sharp-ordinal-ignore-case": ("C#", str.upper),
    "java-big-integer": ("Java", lambda text: text.lstrip("0")),
    "javascript-parse-int": ("JavaScript", lambda text: text[:13]),
    "c-strncmp": ("C", lambda text: text[:16]),
    "c-last-half": ("C", lambda text: text[16:]),
    "python-first-byte": ("C", lambda text: text[1:]),
    "ruby-strip": ("Ruby", str.strip),
    "go-trim-padding": ("Go", lambda text: text.rstrip("=")),
    "java-mime-decoder": ("Java", lambda text: re.sub("[^A-Za-z0-9+/]", "", text)),
    "php-base64-decode": ("PHP", lambda text: str(_lenient(text))),
    "javascript-atob": ("JavaScript", lambda text: str(_lenient(re.sub(r"\s", "", text)))),
    "ruby-unpack": ("Ruby", lambda text: str(_lenient(text.partition("=")[0]))),
    "c-sharp-spaces": ("C#", lambda text: text.replace(" ", "+")),
    "go-up-to-comma": ("Go", lambda text: text.partition(",")[0]),
    "java-up-to-semicolon": ("Java", lambda text: text.partition(";")[0]),
    "javascript-unquoted": ("JavaScript", lambda text: text.strip('"')),
    "python-unquoted-escapes": ("Python", unquote),
    "c-hex-prefix": ("C", lambda text: text.removeprefix("0x")),
    "ruby-colons": ("Ruby", lambda text: text.replace(":", "")),
    "bash-up-to-nul": ("Bash", lambda text: text.partition("\0")[0]),
    "first-half-twice": ("C", lambda text: text[:28] if len(text) == 56 else text),
}


def _lenient(text: str) -> bytes:
    kept = re.sub("[^A-Za-z0-9+/]", "", text)
    return b64decode(kept[: len(kept) - (len(kept) % 4 == 1)] + "=" * (-len(kept) % 4))


# How lines of custom headers are sorted.
SORTS: Mapping[str, tuple[str, Callable[[list[str]], list[str]]]] = {
    "natural": ("PHP", lambda found: sorted(found, key=lambda line: re.sub(r"\d+", lambda m: m[0].zfill(9), line))),
    "locale": ("C#", lambda found: sorted(found, key=lambda line: re.sub("[-_'.!|~+]", "", line))),
    "by-name": ("Go", lambda found: sorted(found, key=lambda line: line.partition(":")[0])),
    "by-value": ("JavaScript", lambda found: sorted(found, key=lambda line: line.partition(":")[2])),
    "downwards": ("PHP", lambda found: sorted(found, reverse=True)),
    "by-length": ("Ruby", lambda found: sorted(found, key=len)),
    "not-at-all": ("Java", lambda found: found[::-1]),
    "underscore-as-hyphen": ("Python", lambda found: sorted(found, key=lambda line: line.replace("_", "-"))),
    "marks-last": ("Java", lambda found: sorted(found, key=lambda line: [(not c.isalnum(), c) for c in line])),
    "once": ("Ruby", lambda found: found[:1]),
    "ends-in-newline": ("Go", lambda found: [*found[:-1], found[-1] + "\n"] if found else found),
    "spaces-folded": ("Java", lambda found: [re.sub(" +", " ", line) for line in found]),
    "values-lower": ("C#", lambda found: [line.lower() for line in found]),
    "no-space-behind-colon": ("Python", lambda found: [line.replace(": ", ":", 1) for line in found]),
    "empty-dropped": ("PHP", lambda found: [line for line in found if line.partition(": ")[2]]),
    "values-as-utf-8": ("JavaScript", lambda found: [line.encode().decode("latin-1") for line in found]),
    "quotes-dropped": ("Python", lambda found: [line.replace('"', "") for line in found]),
    "up-to-comma": ("Go", lambda found: [line.partition(",")[0] for line in found]),
    "up-to-semicolon": ("PHP", lambda found: [line.partition(";")[0] for line in found]),
    "values-decoded": ("Java", lambda found: [unquote(line, "latin-1") for line in found]),
    "mime-decoded": ("C#", lambda found: [line.replace("=?UTF-8?B?YQ==?=", "a") for line in found]),
}
CONTENT_TYPES: Mapping[str, tuple[str, Text]] = {
    "spaces-folded": ("Java", lambda text: re.sub(" +", " ", text)),
    "spaces-dropped": ("Go", lambda text: text.replace(" ", "")),
    "one-space-behind-semicolon": ("Go", lambda text: re.sub("; *", "; ", text)),
    "quotes-dropped": ("Python", lambda text: text.replace('"', "")),
    "up-to-comma": ("PHP", lambda text: text.partition(",")[0]),
    "charset-added": (
        "Java",
        lambda text: text + "; charset=utf-8" if text.startswith("text/plain") and "charset" not in text else text,
    ),
    "boundary-dropped": ("JavaScript", lambda text: re.sub("; *boundary=.*", "", text)),
    "charset-upper": ("Java", lambda text: text.replace("utf-8", "UTF-8")),
    "empty-is-default": ("C#", lambda text: text or "application/json"),
    "zero-is-none": ("PHP", lambda text: "" if text == "0" else text),
    "non-ascii-dropped": ("Ruby", lambda text: re.sub("[\x80-\xff]", "", text)),
    "as-utf-8": ("JavaScript", lambda text: text.encode().decode("latin-1")),
}
AUTHORIZATIONS: Mapping[str, tuple[str, Text]] = {
    "scheme-in-any-case": (
        "Go",
        lambda text: re.sub("^gotom_app_api(?= )", "gotom_app_api", text, flags=re.IGNORECASE),
    ),
    "tab-for-space": ("Ruby", lambda text: text.replace("\t", " ", 1)),
    "white-space-for-space": ("Python", lambda text: " ".join(text.split(None, 1))),
    "comma-list": (
        "Java",
        lambda text: next(
            (part.strip() for part in text.split(", ") if part.strip().startswith("gotom_app_api ")), text
        ),
    ),
    "hyphens": ("C#", lambda text: text.replace("gotom-app-api", "gotom_app_api")),
    "anywhere": ("PHP", lambda text: text[text.find("gotom_app_api ") :] if "gotom_app_api " in text else text),
    "quoted": ("JavaScript", lambda text: text.replace('"', "")),
    "no-break-space": ("Python", lambda text: text.replace("\xa0", " ", 1)),
    "nothing-in-front": ("PHP", lambda text: text if " " in text or ":" not in text else "gotom_app_api " + text),
    "up-to-nul": ("C", lambda text: text.partition("\0")[0]),
    "control-dropped": ("PHP", lambda text: re.sub("[\x00-\x1f]", "", text)),
}
VERSIONS: Mapping[str, tuple[str, Text]] = {
    "comma": ("C#", lambda text: text.replace(",", ".")),
    "three-parts": ("Ruby", lambda text: ".".join(text.split(".")[:2])),
    "letter": ("Go", lambda text: text.removeprefix("v")),
    "trailing-dot": ("PHP", lambda text: text.rstrip(".")),
    "sign": ("Python", lambda text: text.lstrip("+-")),
    "nfkc": ("Python", lambda text: unicodedata.normalize("NFKC", text)),
    "number": (
        "JavaScript",
        lambda text: (
            f"{float(text):g}"
            if re.fullmatch(r"[-+]?[0-9.]*[0-9](e[-+]?[0-9]+)?", text) and text.count(".") < 2
            else text
        ),
    ),
    "hex-float": ("Java", lambda text: "1.5" if text == "0x1.8p0" else text),
    "nul": ("C", lambda text: text.partition("\0")[0]),
    "newline": ("PHP", lambda text: text.removesuffix("\n")),
    "first-three": ("C", lambda text: text[:3]),
    "empty-is-default": ("PHP", lambda text: text or "1.5"),
    "zero-is-default": ("PHP", lambda text: "1.5" if text in ("0", "") else text),
    "decoded-twice": ("Go", unquote),
}
