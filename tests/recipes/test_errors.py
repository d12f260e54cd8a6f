"""What is wrong with a recipe is said when it is made: the field, and the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from undersign import ConfigError, Recipe

GOOD: dict[str, Any] = {
    "name": "r",
    "parts": ["time", "method", "target"],
    "mac": "hmac-sha256",
    "headers": {"X-Key": "{key_id}", "X-Time": "{time}", "X-Signature": "{signature}"},
}
H = {"X-S": "{key_id},{time},{signature}"}

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    # the document
    "no name": ({"name": ...}, "the recipe has no name: give it one"),
    "no parts": ({"parts": ...}, "the recipe has no parts: give it one"),
    "no mac": ({"mac": ...}, "the recipe has no mac: give it one"),
    "an unknown field": ({"joinner": ""}, "no field 'joinner' (did you mean 'joiner'?): it has name, parts, joiner"),
    "a field in Python's spelling": ({"query_or_form": {}}, "no field 'query_or_form' (did you mean 'query-or-form'?)"),
    "a field by the word of a page": ({"separator": "|"}, "no field 'separator' (did you mean 'joiner'?)"),
    "a page's word misspelled": ({"seperator": "|"}, "no field 'seperator' (did you mean 'joiner'?)"),
    "a list's separator misspelled": (
        {"list_seperator": ","},
        "(did you mean 'list_separator'?)",
    ),
    "another library's word for the MAC": ({"algorithm": "x"}, "no field 'algorithm' (did you mean 'mac'?)"),
    "a field in capitals": ({"MAC": "hmac-sha1"}, "no field 'MAC' (did you mean 'mac'?)"),
    "a part by the word of a page": (
        {"parts": ["timestamp"]},
        "parts[0] is the part 'timestamp', which is unknown (did you mean 'time'?)",
    ),
    "a separator of pairs": (
        {"parts": ["time", {"part": "params", "seperator": "&"}]},
        "parts[1], the part 'params', has no option 'seperator' (did you mean 'item'?)",
    ),
    "a separator of what is hashed": (
        {"parts": ["time", {"part": "digest", "separator": "&"}]},
        "parts[1], the part 'digest', has no option 'separator' (did you mean 'joiner'?)",
    ),
    "a separator where no option is one": (
        {"parts": ["time", {"part": "method", "separator": "&"}]},
        "parts[1], the part 'method', has no option 'separator': it has omit_empty, fold",
    ),
    "a placeholder by the word of a page": (
        {"headers": {"A": "{sig}"}},
        "which is unknown (did you mean 'signature'?)",
    ),
    "a field that is no text": (dict[Any, Any]({7: ""}), "no field 7: it has"),
    "an empty name": ({"name": ""}, "name is empty or holds a control character: name the scheme"),
    "a name of two lines": ({"name": "a\nb"}, "name is empty or holds a control character"),
    "a name that is no text": ({"name": 7}, "name is text, not 7"),
    "a window of one end": (
        {"window": {"past": 1}},
        "window is a table in seconds, { past = 300, future = 300 }, or false",
    ),
    "a window that is a number": ({"window": 300}, "window is a table in seconds"),
    "a window that is true": ({"window": True}, "window is a table in seconds"),
    "a negative window": ({"window": {"past": -1, "future": 1}}, "past"),
    "a window of texts": ({"window": {"past": "1", "future": "1"}}, "past"),
    "methods in lower case": ({"methods": ["get"]}, 'methods is a list in upper case: write methods = ["GET", "POST"]'),
    "methods in a text": ({"methods": "GET"}, "methods is a list in upper case"),
    "allow_http in a text": ({"allow_http": "yes"}, "allow_http is true or false"),
    "a content type of two lines": ({"content_type": "a\r\nb"}, "content_type is text without control characters"),
    # the string to sign
    "parts in a text": (
        {"parts": "time"},
        'parts is a list of what is signed: write parts = ["time", "method", "target"]',
    ),
    "no part": ({"parts": []}, "parts is a list of what is signed: write parts ="),
    "an unknown part": (
        {"parts": ["time", "methd"]},
        "parts[1] is the part 'methd', which is unknown (did you mean 'method'?): use one of method",
    ),
    "a part that is no text": (
        {"parts": ["time", 7]},
        "parts[1] is 7: write a part such as 'method', or a table with part",
    ),
    "a table without part": ({"parts": ["time", {"fold": "lower"}]}, "parts[1] is …: write a part such as"),
    "an argument that nothing takes": (
        {"parts": ["time", "method:x"]},
        "parts[1] is the part 'method:x', which is unknown",
    ),
    "a header without a name": ({"parts": ["time", "header:"]}, "parts[1]…: write header:NAME"),
    "a header that is no token": ({"parts": ["time", "header:a b"]}, "parts[1]…: write header:NAME"),
    "an unknown digest": ({"parts": ["time", "body:sha3"]}, "parts[1]: write body:ALG:ENC, ALG one of md5, sha1"),
    "an unknown encoding of a digest": (
        {"parts": ["time", "body:md5:b64"]},
        "parts[1]: write body:ALG:ENC…ENC one of hex",
    ),
    "an unknown way with nothing": (
        {"parts": ["time", {"part": "body", "digest": "md5", "empty": "no"}]},
        "empty = 'digest', 'nothing' or 'omit'",
    ),
    "an encoding without a digest": (
        {"parts": ["time", {"part": "body", "encoding": "hex"}]},
        "parts[1]: encoding and empty belong to a digest of the body: name digest",
    ),
    "an unknown form of a time": (
        {"parts": ["time:rfc"]},
        "time 'rfc' is unknown: write one of unix, unix-decimal, unix-ms, iso, iso-ms, http, rfc2822, or a pattern",
    ),
    "an empty literal": (
        {"parts": ["time", "literal:"]},
        "parts[1]: a literal is printable ASCII and line feeds, and not empty",
    ),
    "a literal of other characters": ({"parts": ["time", "literal:ü"]}, "parts[1]: a literal is printable ASCII"),
    "an extra without a name": ({"parts": ["time", "extra:"]}, "parts[1] is 'extra:': write extra:NAME"),
    "an unknown option": (
        {"parts": ["time", {"part": "method", "folds": "lower"}]},
        "parts[1], the part 'method', has no option 'folds' (did you mean 'fold'?): it has",
    ),
    "an option of another part": (
        {"parts": ["time", {"part": "method", "sort": "name"}]},
        "parts[1], the part 'method', has no option 'sort'",
    ),
    "an unknown fold": (
        {"parts": ["time", {"part": "method", "fold": "title"}]},
        "parts[1]: fold is 'lower' or 'upper'",
    ),
    "an empty condition": (
        {"parts": ["time", {"part": "method", "when": {}}]},
        "parts[1]: when is a table with methods",
    ),
    "an unknown condition": (
        {"parts": ["time", {"part": "method", "when": {"path": "/"}}]},
        "parts[1]: when is a table with methods",
    ),
    "methods of a condition in a text": (
        {"parts": ["time", {"part": "target", "when": {"methods": "GET"}}]},
        "parts[1].when.methods is a list of texts",
    ),
    "headers in a text": (
        {"parts": ["time", {"part": "headers", "names": "X-A"}]},
        "parts[1].names is a list of texts",
    ),
    "drop_blank in a text": (
        {"parts": ["time", {"part": "headers", "drop_blank": "no"}]},
        "parts[1].drop_blank is true or false",
    ),
    "params of nothing": (
        {"parts": ["time", {"part": "params", "of": "body"}]},
        "parts[1]: params are of = 'query', 'form' or 'both'",
    ),
    "params sorted otherwise": (
        {"parts": ["time", {"part": "params", "sort": "value"}]},
        "sort = 'name', 'pair' or 'none'",
    ),
    "params joined by a number": (
        {"parts": ["time", {"part": "params", "item": 1}]},
        "parts[1]: pair, item and start are text",
    ),
    "the body twice": ({"parts": ["time", "body", "body"]}, "parts holds the body twice: name it once"),
    "a joiner of other characters": ({"joiner": "\0"}, "joiner is printable ASCII and line feeds"),
    "a joiner that is no text": ({"joiner": 7}, "joiner is text, not 7"),
    # the MAC
    "an unknown mac": (
        {"mac": "hmac-sha3"},
        "mac 'hmac-sha3' is unknown: write hmac-ALG or hash-ALG with one of md5, sha1",
    ),
    "an unknown kind of mac": ({"mac": "sha256"}, "mac 'sha256' is unknown: write hmac-ALG or hash-ALG"),
    "an unknown encoding": ({"encoding": "b64"}, "encoding 'b64' is unknown: use one of hex, HEX, base64"),
    "an unknown form of a secret": ({"secret": "utf-8"}, "secret 'utf-8' is unknown: …text, base64, hex"),
    "a hash without the secret": (
        {"mac": "hash-sha256"},
        "mac 'hash-sha256' takes no key, so anyone could sign: put the secret among the parts, or use hmac-",
    ),
    "a secret that is not always there": (
        {"mac": "hash-sha256", "parts": ["time", {"part": "secret", "when": {"methods": ["POST"]}}]},
        "parts[1]: the secret is signed always, or anyone could sign",
    ),
    # what is sent, and what is not
    "the secret in a header": (
        {"headers": {**H, "X-Secret": "{secret}"}},
        "the X-Secret header would send the secret: send {signature} and keep the secret",
    ),
    "the secret in a parameter": ({"query": {"s": "{secret}"}}, "the parameter 's' would send the secret"),
    "no signature": (
        {"headers": {"X-S": "{key_id} {time}"}},
        "nothing sends the signature: put {signature} into headers, query or form",
    ),
    "a nonce that nothing sends": (
        {"parts": ["time", "nonce"]},
        "parts holds the nonce, which nothing sends: put {nonce} into headers",
    ),
    "a key id that nothing sends": (
        {"parts": ["time", "key_id"], "headers": {"X-S": "{time},{signature}"}},
        "parts holds the key id, which nothing sends: put {key_id} into headers",
    ),
    "an extra that nothing sends": (
        {"parts": ["time", "extra:token"]},
        "parts holds extra:token, which nothing sends: put {extra.token} in a carrier",
    ),
    "a time neither sent nor searched": (
        {"headers": {"X-S": "{key_id},{signature}"}, "window": False},
        "the time is signed, and neither sent nor searched: put {time} into a carrier, or give a window",
    ),
    "a time that is sent and not signed": (
        {"parts": ["method"]},
        "the time is sent and not signed, so anyone could renew it: put it among the parts, or window = false",
    ),
    "a time that is signed at times": (
        {"parts": ["method", {"part": "time", "when": {"methods": ["POST"]}}]},
        "the time is sent and not signed, so anyone could renew it",
    ),
    "a time that is signed where there is a body": (
        {"parts": ["method", {"part": "time", "when": {"body": True}}]},
        "the time is sent and not signed, so anyone could renew it",
    ),
    "a window and no time": (
        {"parts": ["method"], "headers": {"X-S": "{key_id},{signature}"}},
        "window is given and no time is signed: put the time among the parts, or window = false",
    ),
    "a search without end": (
        {"headers": {"X-S": "{key_id},{signature}"}, "window": {"past": 86_400, "future": 1}},
        "window is over 86400 seconds, and each of them is searched: make it smaller",
    ),
    "nothing bound": (
        {"parts": ["key_id", "literal:x"], "window": False},
        "parts binds nothing: one signature would serve for ever; sign the time or the request",
    ),
    "the signature in the query that is signed": (
        {"headers": {}, "query": {"k": "{key_id}", "t": "{time}", "s": "{signature}"}},
        'parts[2] signs the query, and the signature goes into it: write { part = "params", …without = ["s"] }',
    ),
    "the signature in parameters that are signed": (
        {
            "parts": ["time", {"part": "params", "without": ["x"]}],
            "headers": {},
            "query": {"k": "{key_id}", "t": "{time}", "s": "{signature}"},
        },
        "parts[1] signs the query, and the signature goes into it",
    ),
    "the signature in the body that is signed": (
        {"parts": ["time", "body:md5"], "headers": {}, "form": {"k": "{key_id}", "t": "{time}", "s": "{signature}"}},
        "parts[1] signs the form, and the signature goes into it",
    ),
    "the signature at times in the body that is signed": (
        {
            "parts": ["time", "body"],
            "headers": {},
            "query-or-form": {"k": "{key_id}", "t": "{time}", "s": "{signature}"},
        },
        "parts[1] signs the form, and the signature goes into it",
    ),
    "the signature in a header that is signed": (
        {"parts": ["time", "header:x-signature"]},
        "the header x-signature, which holds the signature: leave it out",
    ),
    # templates
    "two values without a separator": (
        {"headers": {"X-S": "{key_id}{signature}", "X-T": "{time}"}},
        "the X-S header is ambiguous: put a separator between {key_id} and {signature}",
    ),
    "a separator that a time holds": (
        {"time": "iso", "headers": {"X-S": "{key_id} {time}:{signature}"}},
        "the X-S header is ambiguous: …use another separator",
    ),
    "an unknown placeholder": (
        {"headers": {**H, "X-A": "{keyid}"}},
        "the X-A header has the placeholder {keyid}, which is unknown (did you mean 'key_id'?): use {key_id}, {time}, {signature}, {nonce}",  # noqa: E501
    ),
    "an extra without name": (
        {"headers": {**H, "X-A": "{extra.}"}},
        "the X-A header has the placeholder {extra.}, which is unknown",
    ),
    "a lone brace": (
        {"headers": {"X-S": "{key_id},{time},{signature}}"}},
        "the X-S header has a lone '}': write it twice where it is meant as text",
    ),
    "a placeholder twice in a template": (
        {"headers": {"X-S": "{key_id},{key_id},{time},{signature}"}},
        "the X-S header names a placeholder twice: name it once",
    ),
    "a placeholder in two carriers": (
        {"headers": {**H, "X-A": "{key_id}"}},
        "a value is sent in two places: name each placeholder in one carrier",
    ),
    "two places": (
        {"query": {"a": "{nonce}"}, "form": {"b": "{extra.b}"}},
        "parameters are given for query and form: put them all into one place",
    ),
    "a header name that is none": ({"headers": {**H, "X A": "{nonce}"}}, "headers holds 'X A', which is no HTTP token"),
    "a header in two spellings": (
        {"headers": {**H, "X_S": "{nonce}"}},
        "headers names one header twice: CGI-like servers take _ for -",
    ),
    "a parameter without a name": ({"query": {"": "{nonce}"}}, "query holds an empty name: name the parameter"),
    "a template that is no text": (
        {"headers": {"X-S": 7}},
        "headers is a table of templates by name: write X-Signature",
    ),
    "templates in a list": ({"headers": ["X-S"]}, "headers is a table of templates by name"),
    "a list without a signature": (
        {"headers": {"X-T": "{time}"}, "query": {"s": "{signature}"}, "list_separator": ","},
        "list_separator is for the header that sends the signature: put {signature} into headers",
    ),
    "a list without an item's text": (
        {"headers": {"X-S": "k={key_id},t={time},{signature}"}, "list_separator": ","},
        "the X-S header is a list, and its item '{signature}' has not one placeholder behind a text: write 't={time},",
    ),
    "a list with two values in an item": (
        {"headers": {"X-S": "k={key_id}:{time},s={signature}"}, "list_separator": ","},
        "the X-S header is a list, and its item 'k={key_id}:{time}' has not one placeholder",
    ),
    "a list whose items begin alike": (
        {"headers": {"X-S": "k={key_id},k={signature},t={time}"}, "list_separator": ","},
        "the X-S header is ambiguous: 'k=' begins as another of its items does",
    ),
    "a list whose times hold the separator": (
        {"headers": {"X-S": "k={key_id},t={time},s={signature}"}, "list_separator": ",", "time": "http"},
        "the X-S header is ambiguous: …use another separator",
    ),
    "a separator of two characters": (
        {"headers": {"X-S": "k={key_id}, ;s={signature}"}, "list_separator": ",;"},
        "list_separator is one character, with spaces around it or none, such as ',' or ' '",
    ),
    # times
    "an unknown time": (
        {"time": "rfc3339"},
        "time 'rfc3339' is unknown: write one of unix, unix-decimal, unix-ms, iso, iso-ms, http, rfc2822, or a pattern",
    ),
    "an unknown directive": ({"time": "%Y-%m-%d %H:%M:%S %Z"}, "time holds '%Z': a pattern has %Y"),
    "a lone percent sign": ({"time": "%Y-%m-%d %H:%M:%S%"}, "time holds '%': a pattern has %Y"),
    "a directive twice": ({"time": "%Y-%m-%d %H:%M:%S %Y"}, "time names a directive twice"),
    "a pattern without seconds": (
        {"time": "%Y-%m-%d %H:%M"},
        "time leaves a part of the date or of the time out: name %Y",
    ),
}


@pytest.mark.parametrize(("changes", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_recipe_is_said_when_it_is_made(changes: dict[str, Any], said: str) -> None:
    assert Recipe.from_mapping(GOOD)
    document = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    with pytest.raises(ConfigError) as caught:
        Recipe.from_mapping(document)
    message = str(caught.value)
    assert "\n" not in message
    for part in said.split("…"):
        assert part in message
        message = message.partition(part)[2]


@pytest.mark.parametrize("document", [None, [], "name", 7])
def test_a_document_that_is_no_table(document: Any) -> None:
    with pytest.raises(ConfigError, match="a recipe is a table with name, parts, mac and so on, not "):
        Recipe.from_mapping(document)


def test_options_are_given_by_name_alone() -> None:
    with pytest.raises(TypeError):
        Recipe("r", ["time"], "hmac-sha256")  # type: ignore[call-arg]
