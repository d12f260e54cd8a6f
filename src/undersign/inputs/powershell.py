"""The request of Invoke-WebRequest or Invoke-RestMethod, as browsers copy it and as people write it for PowerShell.

Read is what the script writes out: texts, hash tables, variables that it sets itself, the session that browsers copy.
Nothing is run. What differs from one version of PowerShell to the next (ConvertTo-Json, text outside ASCII in a body)
is refused.

Source: learn.microsoft.com (about_Quoting_Rules, about_Hash_Tables, Invoke-WebRequest), and what Chrome and Firefox
write as "Copy as PowerShell".
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote_plus

from ..core.credentials import parse_origin
from ..core.fields import FORM
from ..core.grammar import CONTROL_BUT_TAB, TOKEN
from ..core.message import Request
from ..errors import CannotSign, ConfigError
from .found import Found

_SPACE = re.compile(r"(?:[^\S\n]|`\r?\n|#[^\n]*|<#.*?#>)*", re.DOTALL)
_LINES = re.compile(r"(?:\s|;|`\r?\n|#[^\n]*|<#.*?#>)*", re.DOTALL)
_COMMAND = re.compile(r"(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm|curl|wget)(?:\.exe)?(?=\s|$)", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_ASSIGNED = re.compile(
    r"(?:\[[\w.\[\]]+\]\s*)?\$(?:\{(\w+)\}|(\w+))((?:\.\w+|\[[^\]\n]*\])*)\s*=(?!=)\s*", re.IGNORECASE
)
_ADDED = re.compile(r"\$(\w+)\.(?:Headers\.)?Add\s*\(\s*", re.IGNORECASE)
_COOKIE = re.compile(r"\$(\w+)\.Cookies\.Add\s*\(.*?System\.Net\.Cookie[\s(]*", re.IGNORECASE | re.DOTALL)
_CHARACTER = re.compile(r"\$\(\[char\]\s*(0x[0-9a-f]+|[0-9]+)\)", re.IGNORECASE)
_UTF_8 = re.compile(r"\(?\s*\[(?:System\.)?Text\.Encoding\]::UTF8\.GetBytes\s*\(", re.IGNORECASE)
_NEW_SESSION = re.compile(
    r"(?:New-Object\s+Microsoft\.PowerShell\.Commands\.WebRequestSession|\[Microsoft\.PowerShell\.Commands\.WebRequestSession\]::new\(\))",
    re.IGNORECASE,
)
_ENCODING = re.compile(
    r"\[(?:System\.)?Text\.Encoding\]::UTF8(?![.\w])"
    r"|\[(?:System\.)?Text\.UTF8Encoding\]::new\((?:\$false)?\)"
    r"|New-Object\s+(?:-TypeName\s+)?(?:System\.)?Text\.UTF8Encoding(?:\(\)|(?=\s|;|$))",
    re.IGNORECASE,
)
_GET_BYTES = re.compile(r"\$(\w+)\.GetBytes\s*\(", re.IGNORECASE)
_NEW_TABLE = re.compile(
    r"""New-Object\s+(?:-TypeName\s+)?["']?System\.Collections\."""
    r"(?P<kind>Hashtable|Specialized\.OrderedDictionary|Generic\.Dictionary\[.*?\])"
    r"""(?=["'\s(;]|$)["']?(?:\s*\(\s*\))?"""
    r"|\[System\.Collections\.(?P<made>Hashtable|Specialized\.OrderedDictionary|Generic\.Dictionary\[.*?\])\]::new\(\)",
    re.IGNORECASE,
)
_FORMAT = re.compile(r"-f(?=[\s\"'($])", re.IGNORECASE)
_FIELD = re.compile(r"\{\{|\}\}|\{(\d+)\}|[{}]")
_TABLE = re.compile(r"(\[ordered\]\s*)?@\{", re.IGNORECASE)
_HERE = re.compile(r"""@(["'])[^\S\n]*\r?\n(.*?)\r?\n\1@""", re.DOTALL)
_BARE = re.compile(r"[^\s;|(){}'\"`$,@#][^\s;|(){}'\"`$,]*")
_OPTION = re.compile(r"-([A-Za-z]+)(?::|(?=\s|$))")
_SETTING = re.compile(
    r"(?:\[(?:System\.)?Net\.ServicePointManager\]::|\$(?:ProgressPreference|ErrorActionPreference)\b"
    r"|Write-(?:Host|Output|Verbose|Debug|Information)\b|Set-StrictMode\b)[^\n]*|try\s*\{",
    re.IGNORECASE,
)
_UNRESERVED = re.compile("%(?:4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae]|3[0-9]|2[de])", re.IGNORECASE)
_DEEPEST = 64
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}

_READ = ("uri", "method", "custommethod", "headers", "body", "contenttype", "useragent", "websession")
_IGNORED_WITH_VALUE = (
    "outfile", "timeoutsec", "maximumredirection", "maximumretrycount", "retryintervalsec", "sslprotocol",
    "httpversion", "proxy", "proxycredential", "sessionvariable", "connectiontimeoutseconds", "operationtimeoutseconds",
    "erroraction", "responseheadersvariable", "statuscodevariable", "certificate", "certificatethumbprint",
    "outvariable",
)  # fmt: skip
_FLAGS = (
    "usebasicparsing", "skipcertificatecheck", "skiphttperrorcheck", "skipheadervalidation", "disablekeepalive",
    "passthru", "proxyusedefaultcredentials", "preserveauthorizationonredirect", "allowinsecureredirect", "verbose",
    "resume", "followrellink",
)  # fmt: skip
_REFUSED = {
    "infile": "the body stands in a file: write it as text behind -Body",
    "form": "the parts have a boundary that PowerShell makes up: the body is not known",
    "credential": "who is meant stands in an object: write the header Authorization instead",
    "authentication": "what it puts into Authorization is made when it runs: write the header instead",
    "token": "what it puts into Authorization is made when it runs: write the header instead",
    "usedefaultcredentials": "what it puts into Authorization is made when it runs: write the header instead",
    "transferencoding": "the body is framed by it: leave it out if the server gets the same bytes",
}
# What HTTP/2 has in the place of the request line, and browsers copy without its colon.
_PSEUDO = frozenset({"authority", "method", "path", "scheme"})


_UTF_8_ENCODING = object()
"""What stands in a variable for the encoding."""


class _Session:
    def __init__(self) -> None:
        self.user_agent: str | None = None
        self.cookies: list[str] = []


class _Table(dict[str, Any]):
    """A hash table, whose order PowerShell does not keep unless it says so."""

    ordered = False


def request_of_powershell(text: str) -> Found:
    """The request that the command sends. Raises ConfigError, which names what only a running script would know."""
    script = _Script(text)
    options = script.options()
    if re.search(rf"(?im)(?:^|[;&(=])\s*(?:{_COMMAND.pattern})", text[script.place :]):
        raise ConfigError("there are several commands that send a request: give one")
    return _request(options)


class _Script:
    def __init__(self, text: str) -> None:
        self.text, self.place, self.known = text, 0, dict[str, Any]()
        self._depth = 0

    def take(self, pattern: re.Pattern[str], space: re.Pattern[str] = _SPACE) -> re.Match[str] | None:
        start = space.match(self.text, self.place)
        assert start is not None  # noqa: S101  # it may be empty
        match = pattern.match(self.text, start.end())
        if match is not None:
            self.place = match.end()
        return match

    def where(self) -> str:
        return f"in line {self.text.count(chr(10), 0, self.place) + 1}"

    def options(self) -> dict[str, Any]:
        """The options of the command, by their full names in lower case."""
        while True:
            if self.take(_COMMAND, _LINES):
                return self._options()
            if self.take(_SETTING, _LINES):
                continue
            if match := self.take(_COOKIE, _LINES):
                self._add_cookie(match[1])
            elif match := self.take(_ADDED, _LINES):
                self._add(match[1])
            elif match := self.take(_ASSIGNED, _LINES):
                if not match[3] and self.take(_COMMAND):
                    return self._options()
                self._assign(match[1] or match[2], match[3])
            else:
                raise ConfigError(
                    f"the script does something else than call Invoke-WebRequest {self.where()}: give the call alone"
                )

    def _assign(self, name: str, inside: str) -> None:
        name, target = name.lower(), self.known.get(name.lower())
        if not inside:
            self.known[name] = _Session() if self.take(_NEW_SESSION) else self.expression()
        elif isinstance(target, _Session) and inside.lower() == ".useragent":
            target.user_agent = _as_text(self.expression())
        elif isinstance(target, _Table):
            key = inside[1:].rstrip("]").strip("'\" ")
            target[key] = self.expression()
        else:
            raise ConfigError(f"the script changes ${name[:40]}, which it has not written out {self.where()}")

    def _add(self, name: str) -> None:
        target = self.known.get(name.lower())
        key = _as_text(self.value())
        comma = self.take(re.compile(","))
        value = self.expression() if comma else None
        if not isinstance(target, _Table) or value is None or not self.take(re.compile(r"\)")):
            raise ConfigError(f"the script changes ${name[:40]}, which it has not written out {self.where()}")
        target[key] = value

    def _add_cookie(self, name: str) -> None:
        target = self.known.get(name.lower())
        key, comma = self.value(), self.take(re.compile(","))
        if not isinstance(target, _Session) or not comma:
            raise ConfigError(f"the script adds a cookie that cannot be read {self.where()}: write the header Cookie")
        target.cookies.append(f"{_as_text(key)}={_as_text(self.value())}")
        self.take(re.compile(r"[^\n]*"))

    def _options(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.take(re.compile(r"[|;\n]|\Z")) is None:
            if match := self.take(re.compile(r"@(\w+)")):
                table = self._variable(match[1])
                if not isinstance(table, _Table):
                    raise ConfigError(f"the script splats @{match[1][:40]}, which it has not written out")
                for name, value in table.items():
                    found[_full_name(name)] = value
            elif match := self.take(_OPTION):
                name = _full_name(match[1])
                if name in _FLAGS:
                    self.take(re.compile(r":?\s*\$(?:true|false)\b", re.IGNORECASE))
                elif name in _IGNORED_WITH_VALUE:
                    self.value()
                else:
                    found[name] = self.value()
            else:
                name = ("uri", "body")[len(found.keys() & {"uri"})]
                found[name] = self.value()
        return found

    def value(self) -> Any:
        """The value that stands here."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ConfigError("the script is nested too deeply to be a request")
        found = self._value()
        self._depth -= 1
        return found

    def expression(self) -> Any:
        """The value that stands here, with texts that are put together by + or -f."""
        found = self.value()
        while True:
            if self.take(re.compile(r"\+(?!=)")):
                found = _as_text(found) + _as_text(self.value())
            elif isinstance(found, str) and self.take(_FORMAT):
                found = self._formatted(found)
            else:
                return found

    def _formatted(self, text: str) -> str:
        values = [self.value()]
        while self.take(re.compile(",")):
            values.append(self.value())

        def filled(match: re.Match[str]) -> str:
            if match[0] in ("{{", "}}"):
                return match[0][0]
            if match[1] is None or int(match[1]) >= len(values):
                raise ConfigError(f"the script formats text in a way that cannot be read {self.where()}: write it out")
            return _as_text(values[int(match[1])])

        return _FIELD.sub(filled, text)

    def _value(self) -> Any:
        if match := self.take(_HERE):
            return self._expanded(match[2]) if match[1] == '"' else match[2]
        if match := self.take(_TABLE):
            return self._table(ordered=bool(match[1]))
        if match := self.take(_NEW_TABLE):
            empty = _Table()
            empty.ordered = "hashtable" not in (match["kind"] or match["made"]).lower()
            return empty
        if match := self.take(_UTF_8):
            found = _as_text(self.expression()).encode()
            self._close()
            if match[0].startswith("("):
                self._close()
            return found
        if self.take(_ENCODING):
            return _UTF_8_ENCODING
        if match := self.take(_GET_BYTES):
            if self._variable(match[1]) is not _UTF_8_ENCODING:
                raise ConfigError(f"the script encodes text in a way that cannot be read {self.where()}: use UTF-8")
            found = _as_text(self.expression()).encode()
            self._close()
            return found
        if self.take(re.compile("'")):
            match = re.compile(r"((?:[^']|'')*)'").match(self.text, self.place)
            return self._ended(match, "'").replace("''", "'")
        if self.take(re.compile('"')):
            match = re.compile(r'((?:[^"`]|`.|"")*)"', re.DOTALL).match(self.text, self.place)
            return self._expanded(self._ended(match, '"').replace('""', '`"'))
        if match := self.take(_VARIABLE):
            return self._variable(match[1] or match[2])
        if self.take(re.compile(r"\(")):
            found = self.expression()
            if self.take(re.compile(r"\|\s*ConvertTo-Json", re.IGNORECASE)):
                raise ConfigError(
                    "what ConvertTo-Json writes differs from one version of PowerShell to the next: write out the JSON"
                )
            self._close()
            return found
        if match := self.take(_BARE):
            return match[0]
        raise ConfigError(f"the script has no value that can be read {self.where()}: write it out")

    def _ended(self, match: re.Match[str] | None, quote: str) -> str:
        if match is None:
            raise ConfigError(f"the script has a {quote} that does not end {self.where()}: copy all of it")
        self.place = match.end()
        return match[1]

    def _close(self) -> None:
        if self.take(re.compile(r"\s*\)")) is None:
            raise ConfigError(f"the script has an expression that cannot be read {self.where()}: write out its value")

    def _variable(self, name: str) -> Any:
        if name.lower() in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[name.lower()]
        if name.lower() not in self.known:
            raise ConfigError(f"the script has a variable, ${name[:40]}, {self.where()}: write out what it stands for")
        return self.known[name.lower()]

    def _table(self, *, ordered: bool) -> _Table:
        found = _Table()
        found.ordered = ordered
        while self.take(re.compile(r"\}"), _LINES) is None:
            name = self.take(re.compile(r"[\w.]+|(?=['\"])"), _LINES)
            key = name[0] if name and name[0] else _as_text(self.value())
            if self.take(re.compile("=")) is None:
                raise ConfigError(f"the script has a hash table that cannot be read {self.where()}: copy all of it")
            found[key] = self.expression()
        return found

    def _expanded(self, text: str) -> str:
        """What PowerShell makes of text in double quotes."""
        pieces: list[str] = []
        place = 0
        while place < len(text):
            if text[place] == "`":
                pieces.append(_ESCAPED.get(text[place + 1 : place + 2], text[place + 1 : place + 2]))
                place += 2
            elif match := _CHARACTER.match(text, place):
                code = int(match[1], 16 if match[1][:2].lower() == "0x" else 10)
                if code > 0xFFFF:
                    raise ConfigError(f"the script has a [char] that is none {self.where()}")
                pieces.append(chr(code))
                place = match.end()
            elif text.startswith("$(", place):
                raise ConfigError(f"the script computes what stands in $(…) {self.where()}: write out what it comes to")
            elif match := _VARIABLE.match(text, place):
                pieces.append(_as_text(self._variable(match[1] or match[2])))
                place = match.end()
            else:
                pieces.append(text[place])
                place += 1
        found = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), "".join(pieces))
        if re.search("[\ud800-\udfff]", found):
            raise ConfigError(f"the script holds half of a character {self.where()}: write it whole")
        return found


def _full_name(name: str) -> str:
    """The option that a name, which may be short, is meant for."""
    name = name.lower()
    known = (*_READ, *_IGNORED_WITH_VALUE, *_FLAGS, *_REFUSED)
    fitting = [name] if name in known else [each for each in known if each.startswith(name)]
    if len(fitting) != 1:
        raise ConfigError(f"-{name[:40]}: what this option does to the request is not known; leave it out if nothing")
    if fitting[0] in _REFUSED:
        raise ConfigError(f"-{name}: {_REFUSED[fitting[0]]}")
    return fitting[0]


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    raise ConfigError("the script has an object where text has to be: write out the text")


def _request(options: dict[str, Any]) -> Found:
    notes: list[str] = []
    if "uri" not in options:
        raise ConfigError("the command has no -Uri")
    url = _as_text(options["uri"])
    method = _as_text(options.get("custommethod", options.get("method", "GET"))).upper()
    if not TOKEN.fullmatch(method):
        raise ConfigError("-Method is no word: write GET, POST and so on")
    headers = _headers(options.get("headers") or {}, notes)
    session = options.get("websession")
    if isinstance(session, _Session) and session.cookies:
        headers.append(("Cookie", "; ".join(session.cookies)))
    agent = options.get("useragent", session.user_agent if isinstance(session, _Session) else None)
    if agent is not None:
        headers.append(("User-Agent", _as_text(agent)))
    if "contenttype" in options:
        headers = [pair for pair in headers if pair[0].lower() != "content-type"]
        headers.append(("Content-Type", _as_text(options["contenttype"])))
    kinds = [value for name, value in headers if name.lower() == "content-type"]
    body, url = _body(options.get("body"), method, url, kinds)
    if body and method == "POST" and not kinds:
        headers.append(("Content-Type", FORM))
    try:
        place = Request.from_url(method, url)
    except CannotSign as error:
        raise ConfigError(f"-Uri: {error}") from None
    if _UNRESERVED.search(place.target):
        notes.append(
            "PowerShell itself would write escapes such as %7E as the characters they stand for; they are kept"
        )
    if not any(name.lower() == "host" for name, _ in headers):
        headers.insert(0, ("Host", parse_origin(place.origin).partition("://")[2]))
    if (body or method in ("POST", "PUT", "PATCH")) and not any(
        name.lower() == "content-length" for name, _ in headers
    ):
        headers.append(("Content-Length", str(len(body))))
    wire = tuple((name, value.encode("utf-8").decode("latin-1")) for name, value in headers)
    return Found(Request(method, place.target, wire, body, place.origin), tuple(notes))


def _headers(table: Any, notes: list[str]) -> list[tuple[str, str]]:
    if not isinstance(table, dict):
        raise ConfigError("-Headers is no hash table: write @{ name = 'value' }")
    names = {name.lower() for name in table}
    is_copy = names >= _PSEUDO
    if is_copy:
        notes.append("authority, method, path and scheme are HTTP/2's own, as browsers copy them, and are left out")
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        if is_copy and name.lower() in _PSEUDO:
            continue
        text = _as_text(value).strip(" \t")
        if not TOKEN.fullmatch(name) or CONTROL_BUT_TAB.search(text):
            raise ConfigError("a header of the command cannot be sent: its name or its value is not in form")
        found.append((name, text))
    return found


def _body(given: Any, method: str, url: str, kinds: list[str]) -> tuple[bytes, str]:
    """The bytes of the body, and the URL with what a hash table puts into its query."""
    if given is None:
        return b"", url
    if isinstance(given, bytes):
        return given, url
    if isinstance(given, _Table):
        if len(given) > 1 and not given.ordered:
            raise ConfigError("-Body is a hash table, whose order PowerShell does not keep: write out the form as text")
        form = "&".join(f"{quote_plus(name)}={quote_plus(_as_text(value))}" for name, value in given.items())
        if method == "GET":
            return b"", f"{url}{'&' if '?' in url else '?'}{form}"
        return form.encode("ascii"), url
    text = _as_text(given)
    if not text.isascii() and not any(re.search(r"charset\s*=\s*\"?utf-8", kind, re.IGNORECASE) for kind in kinds):
        raise ConfigError(
            "the body is not in ASCII, which versions of PowerShell send in different ways: write "
            "([System.Text.Encoding]::UTF8.GetBytes('…')), or a charset in -ContentType"
        )
    return text.encode(), url
