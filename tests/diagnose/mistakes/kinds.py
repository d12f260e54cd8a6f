"""What goes wrong with method, target, host, content type and headers, as hooks of a client."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlencode

from .client import Message


@dataclass(frozen=True)
class Mistake:
    """`names` are the codes that are right for it, any one of them; `needs` a trait of the scheme, or its name."""

    kind: str
    what: str
    names: str
    steps: dict[str, Any]
    needs: str = ""

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(self.names.split("|"))


def at_path(change: Callable[[str], str]) -> Callable[[str], str]:
    def changed(target: str) -> str:
        path, mark, query = target.partition("?")
        return change(path) + mark + query

    return changed


def at_query(change: Callable[[str], str]) -> Callable[[str], str]:
    def changed(target: str) -> str:
        path, mark, query = target.partition("?")
        return path + mark + (change(query) if query else "")

    return changed


def sorted_pairs(query: str) -> str:
    return "&".join(sorted(query.split("&")))


def sorted_if_few(query: str) -> str:
    """What three parameters were before they were sorted can be found out; of seven it cannot."""
    return sorted_pairs(query) if query.count("&") < 3 else query


def sorted_names(query: str) -> str:
    return "&".join(sorted(query.split("&"), key=lambda pair: pair.partition("=")[0]))


def pairs_of(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def search_params(query: str) -> str:
    """JavaScript's `new URLSearchParams(query).toString()`."""
    return urlencode(pairs_of(query), quote_via=lambda text, *_: quote_plus(text, safe="*").replace("~", "%7E"))


def php_query(query: str) -> str:
    """`http_build_query` of what `parse_str` gave: + for a space, and ~ bare."""
    return urlencode(pairs_of(query))


def component(text: str) -> str:
    """JavaScript's encodeURIComponent."""
    return quote(text, safe="!~*'()")


def upper_escapes(text: str) -> str:
    return re.sub("%[0-9a-fA-F]{2}", lambda m: m[0].upper(), text)


def lower_escapes(text: str) -> str:
    return re.sub("%[0-9a-fA-F]{2}", lambda m: m[0].lower(), text)


def dropped_blanks(query: str) -> str:
    return "&".join(pair for pair in query.split("&") if not pair.endswith("="))


def method(change: Callable[[str], str]) -> dict[str, Any]:
    return {"signed.method": change}


def signed(change: Callable[[str], str]) -> dict[str, Any]:
    return {"signed.target": change}


def sent(change: Callable[[str], str]) -> dict[str, Any]:
    return {"sent.target": change}


def path_with_query(pieces: list[bytes], message: Message) -> list[bytes]:
    return [message.target.encode() if piece == message.path.encode() else piece for piece in pieces]


def unsorted(pieces: list[bytes], message: Message) -> list[bytes]:
    """The parameters as they are sent, where the scheme sorts them."""
    raw, plain = message.query, "&".join(f"{name}={value}" for name, value in pairs_of(message.query))
    same = {sorted_pairs(text).encode(): text for text in (plain, raw)} | {sorted_names(raw).encode(): raw}
    return [same.get(piece, "").encode() or piece for piece in pieces]


OTHER = {"POST": "PUT", "PUT": "POST", "GET": "POST", "DELETE": "GET", "PATCH": "PUT"}
METHODS = [
    Mistake("method", "signed in lower case", "method-case", method(str.lower), "method"),
    Mistake("method", "signed with one capital", "method-case", method(str.title), "method"),
    Mistake("method", "sent in lower case (curl -X post)", "method-case", {"sent.method": str.lower}, "method"),
    Mistake("method", "signed another method than is sent", "method-differs", method(lambda m: OTHER[m]), "method"),
    Mistake("method", "the signer has GET written down", "method-differs", method(lambda _: "GET"), "method"),
    Mistake("method", "the signer has POST written down", "method-differs", method(lambda _: "POST"), "method"),
    Mistake("method", "signed PATCH, which the library tunnels", "method-differs", method(lambda _: "PATCH"), "method"),
    Mistake(
        "method", "a redirect made a GET of it", "method-differs|body-empty", {"sent.method": lambda _: "GET"}, "method"
    ),
    Mistake(
        "method",
        "HEAD sent where GET was signed",
        "method-differs",
        {"sent.method": lambda m: "HEAD" if m == "GET" else m},
        "method",
    ),
]

ABSOLUTE = "target-absolute"
PREFIX = "target-no-path-prefix"
AGAIN = "target-reencoded|target-normalised"
SLASH = f"target-slash|{PREFIX}"
EXTRA = "target-parameter|target-no-query"
TARGETS = [
    Mistake("target", "signed without the query", "target-no-query", signed(lambda t: t.partition("?")[0]), "target"),
    Mistake(
        "target",
        "signed with the query where the path is right",
        "target-with-query",
        {"rework": path_with_query},
        "path",
    ),
    Mistake("target", "signed the whole URL", ABSOLUTE, {"signed": lambda m: replace(m, target=m.url)}, "target"),
    Mistake(
        "target",
        "signed the URL with http",
        ABSOLUTE,
        {"signed": lambda m: replace(m, target=f"http://{m.host}{m.target}")},
        "target",
    ),
    Mistake(
        "target",
        "signed host and target",
        f"{ABSOLUTE}|host-differs",
        {"signed": lambda m: replace(m, target=m.host + m.target)},
        "target",
    ),
    Mistake(
        "target",
        "signed URL without its query",
        f"{ABSOLUTE}|target-no-query",
        {"signed": lambda m: replace(m, target=m.url.partition("?")[0])},
        "target",
    ),
    Mistake("target", "no slash in front", SLASH, signed(lambda t: t[1:]), "target path"),
    Mistake("target", "two slashes in front", f"{SLASH}|target-normalised", signed(lambda t: "/" + t), "target path"),
    Mistake("target", "a slash behind the path signed", SLASH, signed(at_path(lambda p: p + "/")), "target path"),
    Mistake(
        "target", "the slash behind the path not signed", SLASH, signed(at_path(lambda p: p.rstrip("/"))), "target path"
    ),
    Mistake("target", "the base path left out", PREFIX, signed(lambda t: t[t.index("/", 1) :]), "target path"),
    Mistake("target", "a base path too many", PREFIX, signed(lambda t: "/api" + t), "target path"),
    Mistake(
        "target", "the last segment alone", PREFIX, signed(at_path(lambda p: p[p.rstrip("/").rindex("/") :])), "target"
    ),
    Mistake("target", "decoded", f"target-decoded|{AGAIN}", signed(unquote), "target path query params"),
    Mistake("target", "decoded, + as a space", f"target-decoded|{AGAIN}", signed(unquote_plus), "target path query"),
    Mistake("target", "only the path decoded", f"target-decoded|{AGAIN}", signed(at_path(unquote)), "target path"),
    Mistake("target", "only the query decoded", f"target-decoded|{AGAIN}", signed(at_query(unquote)), "target query"),
    Mistake("target", "escaped twice", AGAIN, signed(lambda t: t.replace("%", "%25")), "target path query"),
    Mistake(
        "target", "sent escaped twice", f"{AGAIN}|target-decoded", sent(lambda t: t.replace("%", "%25")), "target query"
    ),
    Mistake("target", "+ for %20", AGAIN, signed(lambda t: t.replace("%20", "+")), "target query"),
    Mistake("target", "sent + for %20", AGAIN, sent(at_query(lambda q: q.replace("%20", "+"))), "target query"),
    Mistake("target", "escapes in lower case", AGAIN, signed(lower_escapes), "target query"),
    Mistake("target", "escapes in upper case", AGAIN, signed(upper_escapes), "target query path"),
    Mistake("target", "URLSearchParams", AGAIN, signed(at_query(search_params)), "target query"),
    Mistake("target", "sent by URLSearchParams", AGAIN, sent(at_query(search_params)), "target query"),
    Mistake("target", "http_build_query", AGAIN, signed(at_query(php_query)), "target query"),
    Mistake("target", "encodeURIComponent of the path", AGAIN, signed(at_path(component)), "target path"),
    Mistake("target", "encodeURIComponent of the target", AGAIN, signed(component), "target"),
    Mistake("target", "~ escaped", AGAIN, signed(lambda t: t.replace("~", "%7E")), "target path query"),
    Mistake(
        "target",
        "the HTTP library escapes brackets",
        AGAIN,
        sent(lambda t: t.replace("(", "%28").replace(")", "%29")),
        "target path",
    ),
    Mistake("target", "query sorted", "target-query-order", signed(at_query(sorted_pairs)), "target query"),
    Mistake("target", "query sorted by name", "target-query-order", signed(at_query(sorted_names)), "target query"),
    Mistake("target", "query sent sorted", "target-query-order", sent(at_query(sorted_if_few)), "target query"),
    Mistake(
        "target",
        "query reversed",
        "target-query-order",
        signed(at_query(lambda q: "&".join(q.split("&")[::-1]))),
        "target query",
    ),
    Mistake(
        "target",
        "query sorted and written again",
        f"target-query-order|{AGAIN}",
        signed(at_query(lambda q: urlencode(sorted(pairs_of(q))))),
        "target query",
    ),
    Mistake("target", "query not sorted", "target-query-order", {"rework": unsorted}, "params"),
    Mistake("target", "lower case", f"target-case|{AGAIN}", signed(str.lower), "target path"),
    Mistake("target", "blank parameters dropped", f"{EXTRA}|{AGAIN}", signed(at_query(dropped_blanks)), "target query"),
    Mistake(
        "target",
        "a cache buster added behind",
        EXTRA,
        sent(lambda t: t + ("&" if "?" in t else "?") + "_=1730974875123"),
        "target",
    ),
    Mistake(
        "target",
        "a parameter that is added behind",
        EXTRA,
        sent(lambda t: t + ("&" if "?" in t else "?") + "format=json"),
        "target",
    ),
    Mistake(
        "target",
        "a fragment is sent",
        "target-fragment",
        sent(lambda t: t + "#top"),
        "target",
    ),
    Mistake("target", "a bare # is signed", "target-fragment", signed(lambda t: t + "#"), "target"),
    Mistake(
        "target",
        "a ? without a query is signed",
        "target-normalised|target-reencoded|target-no-query",
        signed(lambda t: t if "?" in t else t + "?"),
        "target",
    ),
    Mistake("target", "ampersands as in HTML", AGAIN, signed(lambda t: t.replace("&", "&amp;")), "target query"),
]

PROXIES = "target-normalised|target-reencoded|target-decoded|target-slash"


def proxied(what: str, change: Callable[[str], str], names: str = PROXIES) -> Mistake:
    return Mistake("proxy", what, names, sent(change), "target path query")


def given(what: str, change: Callable[[str], str], names: str = PROXIES) -> Mistake:
    """What the client signed and sent, and a proxy has undone on the way."""
    return Mistake("proxy", what, names, signed(change), "target path")


PROXY = [
    proxied("%2f arrives as /", lambda t: re.sub("(?i)%2f", "/", t)),
    proxied("the path arrives decoded", at_path(lambda p: quote(unquote(p), safe="/~()"))),
    proxied("brackets arrive escaped", at_path(lambda p: quote(unquote(p), safe="/~"))),
    proxied("escapes arrive in upper case", upper_escapes),
    proxied("~ arrives escaped", lambda t: t.replace("~", "%7E")),
    given("// arrives as /", at_path(lambda p: p.replace("/", "//")[1:])),
    given("a // in front arrives as /", at_path(lambda p: "/" + p)),
    given("/./ arrives as /", at_path(lambda p: p[: p.rindex("/")] + "/." + p[p.rindex("/") :])),
    proxied("/./ is signed resolved", at_path(lambda p: p[: p.rindex("/")] + "/." + p[p.rindex("/") :])),
    proxied("/x/../ is signed resolved", at_path(lambda p: p[: p.rindex("/")] + "/x/.." + p[p.rindex("/") :])),
    given("a bare ? is lost", lambda t: t if "?" in t else t + "?", f"{PROXIES}|target-no-query"),
    proxied("| arrives escaped", lambda t: t.replace("~", "%7E").replace("(", "%28")),
    proxied("a prefix is taken off", lambda t: t.removeprefix("/v1").removeprefix("/api"), PREFIX),
    proxied("a prefix is put on", lambda t: "/internal" + t, PREFIX),
    proxied("a slash is put behind", at_path(lambda p: p.rstrip("/") + "/"), SLASH),
    proxied("a cache sorts the query", at_query(sorted_if_few), "target-query-order"),
    Mistake(
        "proxy",
        "http behind, https in front",
        "host-differs|target-absolute",
        {"sent.scheme": lambda _: "http"},
        "host",
    ),
]

HOSTS = [
    Mistake("host", "signed with :443", "host-differs", {"signed.host": lambda h: h + ":443"}, "host"),
    Mistake("host", "a port sent and not signed", "host-differs", {"sent.host": lambda h: h + ":8443"}, "host"),
    Mistake("host", "signed in upper case", "host-differs", {"signed.host": str.upper}, "host"),
    Mistake(
        "host",
        "signed with the scheme",
        "host-differs|target-absolute",
        {"signed.host": lambda h: "https://" + h},
        "host",
    ),
    Mistake("host", "signed with http", "host-differs|target-absolute", {"signed.scheme": lambda _: "http"}, "host"),
    Mistake("host", "signed with www", "host-differs", {"signed.host": lambda h: "www." + h}, "host"),
    Mistake("host", "not signed", "host-differs|part-missing", {"signed.host": lambda _: ""}, "host"),
]

DEFAULT = "content-type-default"
PARAMETERS = "content-type-parameters"
TYPES = [
    Mistake("content type", "signed in capitals", "content-type-case", {"signed.content_type": lambda v: v}, "type"),
    Mistake(
        "content type",
        "sent Application/JSON",
        "content-type-case",
        {"sent.content_type": str.title, "signed.content_type": lambda v: v},
        "type",
    ),
    Mistake(
        "content type",
        "signed without its parameters",
        PARAMETERS,
        {"signed.content_type": lambda v: v.partition(";")[0]},
        "type",
    ),
    Mistake(
        "content type",
        "signed with a charset",
        PARAMETERS,
        {"signed.content_type": lambda v: v + "; charset=utf-8"},
        "type",
    ),
    Mistake(
        "content type",
        "the library adds a charset",
        f"{PARAMETERS}|content-type-case",
        {"sent.content_type": lambda v: v + ";charset=UTF-8" if v and ";" not in v else v},
        "type",
    ),
    Mistake(
        "content type",
        "signed application/json",
        DEFAULT,
        {"signed.content_type": lambda _: "application/json"},
        "type",
    ),
    Mistake("content type", "signed nothing", DEFAULT, {"signed.content_type": lambda _: ""}, "type"),
    Mistake(
        "content type",
        "curl -d sends a form",
        DEFAULT,
        {"sent.content_type": lambda _: "application/x-www-form-urlencoded"},
        "type",
    ),
    Mistake(
        "content type",
        "the library sends text/plain",
        DEFAULT,
        {"sent.content_type": lambda v: v if ";" in v else "text/plain"},
        "type",
    ),
    Mistake(
        "content type",
        "octet-stream sent",
        DEFAULT,
        {"sent.content_type": lambda _: "application/octet-stream"},
        "type",
    ),
    Mistake("content type", "signed text/json", DEFAULT, {"signed.content_type": lambda _: "text/json"}, "type"),
    Mistake(
        "content type",
        "signed with its name",
        f"{DEFAULT}|carrier|separator",
        {"signed.content_type": lambda v: "Content-Type: " + v},
        "type",
    ),
]
