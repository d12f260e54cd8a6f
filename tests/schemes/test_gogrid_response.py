"""GoGrid's answers: the recorded ones, in every format, and those that are truncated, huge or hostile."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tracemalloc
from dataclasses import FrozenInstanceError
from typing import Any

import httpx
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.strategies import mutated
from undersign import UndersignError
from undersign.answers.gogrid import (
    AuthenticationFailed,
    BadRequest,
    GatewayRefused,
    GoGridError,
    GoGridResult,
    NotFound,
    NotPermitted,
    ServerError,
    ServiceNotFound,
    Summary,
    UnreadableAnswer,
    parse,
    raise_for_error,
)
from undersign.schemes.gogrid_envelope import failure, success

JSON_ERROR = (
    b'{"summary":{"total":1,"start":0,"returned":1},"status":"failure","method":"/grid/server/get",'
    b'"list":[{"message":"No server","object":"error","errorcode":"IllegalArgumentException"}]}'
)
XML_ERROR = (
    b'<gogrid><response method="/grid/server/get" status="failure"><summary total="1" start="0" returned="1"/>'
    b'<list><object name="error"><attribute name="errorcode">UnexpectedError</attribute>'
    b'<attribute name="message">An unexpected error</attribute></object></list></response></gogrid>'
)
CSV = b"# SUCCESS, /myaccount/billing/get, TOTAL, 1, START, 0, RETURNED, 1\n# startdate,memory\n2009-01-01,12.5\n"
GATEWAY = b"<h1>403 Not Authorized</h1>"
ONE = Summary(1, 0, 1)


class Answer:
    """No more of a response than is asked for."""

    def __init__(self, status: int, content: bytes, **headers: str) -> None:
        self.status_code = status
        self.content = content
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def as_requests(answer: Answer) -> Any:
    response = requests.Response()
    response.status_code = answer.status_code
    response._content = answer.content
    response.headers.update(answer.headers)
    return response


def as_httpx(answer: Answer) -> Any:
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def raised(answer: Any, **options: Any) -> GoGridError:
    with pytest.raises(GoGridError) as caught:
        raise_for_error(answer, **options)
    return caught.value


def unreadable(content: bytes, **options: Any) -> str:
    with pytest.raises(UnreadableAnswer) as caught:
        parse(content, **options)
    assert caught.value.__cause__ is None
    assert str(caught.value).startswith("the answer cannot be read: ")
    return str(caught.value)


# Recorded answers


def test_the_recorded_answers_in_every_format() -> None:
    error = {"object": "error", "message": "No server", "errorcode": "IllegalArgumentException"}
    assert parse(JSON_ERROR) == GoGridResult(False, "/grid/server/get", ONE, (error,))
    error = {"object": "error", "errorcode": "UnexpectedError", "message": "An unexpected error"}
    assert parse(XML_ERROR) == GoGridResult(False, "/grid/server/get", ONE, (error,))
    row = {"startdate": "2009-01-01", "memory": "12.5"}
    assert parse(CSV) == GoGridResult(True, "/myaccount/billing/get", ONE, (row,))
    assert parse(CSV.replace(b"SUCCESS", b"FAILURE")).status == "failure"


@pytest.mark.parametrize("content", [JSON_ERROR, XML_ERROR, CSV])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\r\n "])
def test_the_content_tells_the_format(content: bytes, mark: bytes) -> None:
    assert parse(mark + content) == parse(content)
    wrong = Answer(400, mark + content, Content_Type="application/pdf")
    assert raised(wrong).result == parse(content)


@pytest.mark.parametrize("asked", ["json", "xml", "csv"])
def test_what_this_library_answers_as_a_server(asked: str) -> None:
    target = f"/api/grid/server/list?format={asked}"
    assert parse(success(target).body) == GoGridResult(True, "/grid/server/list", Summary(0, 0, 0), ())
    refused = failure(403, target)
    error = raised(Answer(refused.status, refused.body))
    assert (type(error), error.errorcode) == (AuthenticationFailed, "AuthenticationFailedException")


def test_an_xml_declaration_may_follow_blank_space() -> None:
    declared = b' \n<?xml version="1.0" encoding="ISO-8859-1"?>' + XML_ERROR.replace(b"An", "Ein ü".encode())
    assert parse(declared).objects[0]["message"] == "Ein ü unexpected error"


def test_the_least_that_clients_need_is_status_and_list() -> None:
    content = b'{"status":"success","list":[{"id":1,"ip":{"ip":"10.0.0.1"},"tags":[1.5,null,true]}]}'
    assert parse(content) == GoGridResult(True, "", ONE, (json.loads(content)["list"][0],))


def test_xml_nests_objects_and_lists() -> None:
    def attribute(content: str) -> bytes:
        entry = f'<object name="server"><attribute name="a">{content}</attribute></object>'
        return XML_ERROR[: XML_ERROR.index(b"<object")] + entry.encode() + b"</list></response></gogrid>"

    ip = '<object name="ip"><attribute name="n">1 &lt; 2</attribute></object>'
    expected = {"object": "ip", "n": "1 < 2"}
    assert parse(attribute(ip)).objects[0]["a"] == expected
    assert parse(attribute(ip * 2)).objects[0]["a"] == [expected] * 2
    assert parse(attribute(f"<list>{ip}</list>")).objects[0]["a"] == [expected]
    assert parse(attribute("<list/>")).objects[0]["a"] == []
    assert parse(attribute("")).objects[0]["a"] == ""
    assert "an element 'b'" in unreadable(attribute("<b/>"))


def test_csv_quotes_values() -> None:
    content = b'# SUCCESS, /x, TOTAL, 9, START, 4, RETURNED, 2\r\n# a,b\r\n"1,\r\n2",\r\n\r\n3,"4"""\r\n'
    result = parse(content)
    assert result.summary == Summary(9, 4, 2)
    assert result.objects == ({"a": "1,\r\n2", "b": ""}, {"a": "3", "b": '4"'})


def test_a_result_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        parse(CSV).method = ""  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(parse(CSV))) == parse(CSV)


# Errors


@pytest.mark.parametrize("make", [lambda answer: answer, as_requests, as_httpx])
def test_raise_for_error_takes_the_responses_of_every_library(make: Any) -> None:
    assert raise_for_error(make(Answer(200, CSV, Content_Type="text/html"))) == parse(CSV)
    error = raised(make(Answer(400, JSON_ERROR, Content_Type="text/html")))
    assert (type(error), error.status, error.errorcode) == (BadRequest, 400, "IllegalArgumentException")
    assert str(error) == "GoGrid answered 400 IllegalArgumentException: No server"
    error = raised(make(Answer(403, GATEWAY, Content_Type="text/xml", X_Mashery_Error_Code="ERR_403_NOT_AUTHORIZED")))
    assert (type(error), error.errorcode, error.result) == (GatewayRefused, "ERR_403_NOT_AUTHORIZED", None)
    assert str(error) == "GoGrid answered 403 ERR_403_NOT_AUTHORIZED: 403 Not Authorized"
    assert isinstance(error, AuthenticationFailed)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, NotPermitted),
        (403, AuthenticationFailed),
        (404, NotFound),
        (500, ServerError),
        (503, ServerError),
        (596, ServiceNotFound),
        (302, GoGridError),
        (429, GoGridError),
    ],
)
@pytest.mark.parametrize("content", [b"", b"<html>proxy</html>", XML_ERROR[:-20], b"{", success("/x").body])
def test_the_status_decides_and_no_body_hides_it(status: int, kind: type[GoGridError], content: bytes) -> None:
    error = raised(Answer(status, content))
    assert type(error) is kind
    assert (error.status, error.errorcode) == (status, "")
    assert isinstance(error, UndersignError)
    assert error.message


@pytest.mark.parametrize(
    ("errorcode", "kind"),
    [
        ("IllegalArgumentException", BadRequest),
        ("Unauthorized", NotPermitted),
        ("UnauthorizedException", NotPermitted),
        ("Authentication Failed", AuthenticationFailed),
        ("Not Found", NotFound),
        ("UnexpectedError", ServerError),
        ("Else", GoGridError),
        (7, GoGridError),
    ],
)
def test_where_the_status_says_success_the_errorcode_decides(errorcode: object, kind: type[GoGridError]) -> None:
    content = json.dumps({"status": "failure", "list": [{"x": 1}, {"errorcode": errorcode, "message": "m"}]}).encode()
    error = raised(Answer(200, content))
    assert (type(error), error.message) == (kind, "m")
    assert error.result is not None
    assert pickle.loads(pickle.dumps(error)).result == error.result


def test_a_failure_that_names_no_error() -> None:
    assert raised(Answer(200, b'{"status":"failure","list":[]}')).message == "the answer names no error"


def test_a_message_is_one_line_of_bounded_length() -> None:
    hostile = "\x1b[2J\nadmin logged in\u2028\u202e\ud800 " + "x" * 100_000
    content = json.dumps({"status": "failure", "list": [{"errorcode": hostile, "message": hostile}]}).encode()
    text = str(raised(Answer(400, content)))
    assert text.isprintable()
    assert len(text) < 1100
    assert "\x1b" not in str(raised(Answer(403, b"<h1>\x1b[2J</h1>")))
    code = raised(Answer(403, GATEWAY, x_mashery_error_code="a\r\nb")).errorcode
    assert code == "a b"


def test_an_unreadable_success_is_an_error_of_its_own() -> None:
    error = raised(Answer(200, b"<html>"))
    assert (type(error), error.status) == (UnreadableAnswer, 200)


# Truncated, huge and hostile


@pytest.mark.parametrize("content", [JSON_ERROR, XML_ERROR])
def test_a_truncated_answer_is_never_read(content: bytes) -> None:
    for size in range(len(content)):
        unreadable(content[:size])


def test_csv_without_its_last_row_is_found_by_its_summary() -> None:
    whole = b"# SUCCESS, /x, TOTAL, 2, START, 0, RETURNED, 2\n# a,b\n1,2\n3,4\n"
    for size in range(len(whole) - 2):
        unreadable(whole[:size])
    assert "does not have as many" in unreadable(whole + b"5,6\n" * 9)


def test_size_is_bounded() -> None:
    assert "larger than 10 bytes" in unreadable(JSON_ERROR, limit=10)
    assert "larger than 10 bytes" in raised(Answer(200, CSV), limit=10).message
    assert "larger than 4194304 bytes" in unreadable(b"{" + b" " * 4_194_304)


ROWS = b"# SUCCESS, /grid/x, TOTAL, 9, START, 0, RETURNED, 999999999\n#a\n" + b"b\n" * 2_000_000
ELEMENTS = b'<gogrid><response method="/g" status="success"><list>' + b'<object name="s"/>' * 200_000
ATTRIBUTES = b"<object " + b"".join(b'a%d="" ' % number for number in range(380_000))


@pytest.mark.parametrize("content", [ROWS, ELEMENTS, ATTRIBUTES, b'{"list":[' + b"{}," * 1_000_000])
def test_an_answer_of_very_many_values_takes_little_memory(content: bytes) -> None:
    """In Python each takes a hundred times its place in the answer."""
    tracemalloc.start()
    try:
        assert "more than 100,000 values" in unreadable(content)
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()


def _within(entry: str, fields: str = "") -> bytes:
    return f'{{"status":"success","list":[{{"a":{entry}}}]{fields}}}'.encode()


def _xml(text: str, declaration: str = "") -> bytes:
    return (declaration + XML_ERROR.decode().replace("An unexpected error", text)).encode()


LAUGHS = '<!DOCTYPE g [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b"hello", "neither"),
        (b"[]", "neither"),
        (b'"Signature not valid"', "neither"),
        (_within("NaN"), "NaN is not JSON"),
        (_within("-Infinity"), "-Infinity is not JSON"),
        (_within("1e999"), "too large"),
        (_within("9" * 5000), "too many digits"),
        (_within('1,"a":2'), "same name twice"),
        (_within("1", ',"status":"failure"'), "same name twice"),
        (_within("[" * 40 + "]" * 40), "nested deeper"),
        (_within("[" * 1_000_000), "nested deeper"),
        (_within('{"a":' * 200_000), "nested deeper"),
        (_within("1", ',"summary":[]'), "summary is not an object"),
        (_within("1", ',"summary":{"total":1,"start":0}'), "three whole numbers"),
        (_within("1", ',"summary":{"total":true,"start":0,"returned":1}'), "three whole numbers"),
        (_within("1", ',"summary":{"total":-1,"start":0,"returned":1}'), "three whole numbers"),
        (_within("1", ',"summary":{"total":"1","start":0,"returned":1}'), "three whole numbers"),
        (_within("1", ',"method":7'), "method is no text"),
        (b'{"status":true,"list":[]}', "neither success nor failure"),
        (b'{"list":[]}', "neither success nor failure"),
        (b'{"status":"success"}', "list is absent"),
        (b'{"status":"success","list":{"a":1}}', "list is absent"),
        (b'{"status":"success","list":[1]}', "one of objects"),
        (_xml("&i;", LAUGHS + "]>"), "DTD"),
        (_xml("&x;", '<!DOCTYPE g [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "DTD"),
        (_xml("", '<!DOCTYPE g SYSTEM "http://127.0.0.1:1/x.dtd">'), "DTD"),
        (_xml("&x;"), "undefined entity"),
        (_xml("", '<?xml version="1.0" encoding="utf-16"?>')[:-1], "breaks off"),
        (_xml("<b>" * 100_000), "within each other"),
        (_xml("<b/>" * 200_000), "more than 100000 elements"),
        (_xml("\x00"), "not XML"),
        (_xml("") + b"<again/>", "not XML"),
        (b"<!-- -->", "breaks off"),
        (b"<html><body>busy</body></html>", "element 'html'"),
        (GATEWAY, "element 'h1'"),
        (b"<gogrid/>", "0 elements 'response'"),
        (_xml("").replace(b"<list>", b"<list/><list>"), "2 elements 'list'"),
        (_xml("").replace(b'total="1"', b'total="one"'), "three whole numbers"),
        (_xml("").replace(b'total="1"', b'total="' + b"1" * 9000 + b'"'), "three whole numbers"),
        (_xml("").replace(b'status="failure"', b""), "neither success nor failure"),
        (_xml("").replace(b"<object name", b"<thing name").replace(b"</object", b"</thing"), "element 'thing'"),
        (_xml("").replace(b'attribute name="message"', b'attribute name="errorcode"'), "twice"),
        (_xml("").replace(b'attribute name="message"', b"attribute"), "without a name"),
        (b"# SUCCESS, /x, TOTAL, 0\n", "first line"),
        (b"# SUCCESS, /x, TOTAL, 0, START, 0, RETURNED, 0 and so on\n", "first line"),
        (b"# SUCCESS, /x, TOTAL, 0, START, 0, RETURNED, " + b"9" * 5000, "first line"),
        (b"# SUCCESS, /x, TOTAL, 1, START, 0, RETURNED, 1\na,b\n1,2\n", "does not name the columns"),
        (b"# SUCCESS, /x, TOTAL, 1, START, 0, RETURNED, 1\n# a,a\n1,2\n", "names one twice"),
        (b"# SUCCESS, /x, TOTAL, 1, START, 0, RETURNED, 1\n# a,b\n1,2,3\n", "3 values for 2 columns"),
        (b'# SUCCESS, /x, TOTAL, 1, START, 0, RETURNED, 1\n# a\n"1', "not CSV"),
        (b"# SUCCESS, /x, TOTAL, 1, START, 0, RETURNED, 1\n# a\n" + b"1" * 200_000, "not CSV"),
    ],
)
def test_what_is_not_in_form_is_refused_with_the_reason(content: bytes, said: str) -> None:
    assert said in unreadable(content)


RECORDED = [st.deferred(lambda raw=raw: mutated(lambda: raw)) for raw in (JSON_ERROR, XML_ERROR, CSV)]  # type: ignore[misc]


@settings(deadline=None, derandomize=True, database=None, max_examples=300)
@given(st.one_of(*RECORDED) | st.binary(max_size=60))
def test_no_bytes_make_the_parser_raise_anything_else(content: bytes) -> None:
    error = raised(Answer(500, content))
    assert isinstance(error, ServerError)
    assert str(error).isprintable()
    assert error.result is None or error.result == parse(content)


def test_importing_undersign_does_not_import_the_parsers() -> None:
    program = "import sys, undersign; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"csv", "xml.parsers.expat", "pyexpat", "undersign.answers.gogrid"}
    assert not heavy & set(done.stdout.split())
