"""The envelope of GoGrid's answers, in the format that the request asks for."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from undersign.schemes.gogrid_envelope import failure, success

_HOSTILE = [
    '/api/"><script>alert(1)</script>',
    "/api/]]><!DOCTYPE x [<!ENTITY e 'f'>]>&e;",
    "/api/a,b\nSUCCESS\r\n# x",
    "/api/\x00\x1f\ud800ü\ufffe",
    "/api/&amp;'%22",
]


def test_a_success_is_an_empty_list_of_the_method() -> None:
    response = success("/api/grid/server/list?api_key=k")
    assert (response.status, response.headers) == (200, (("Content-Type", "application/json"),))
    assert json.loads(response.body) == {
        "summary": {"total": 0, "start": 0, "returned": 0},
        "status": "success",
        "method": "/grid/server/list",
        "list": [],
    }


@pytest.mark.parametrize(
    ("status", "errorcode", "message"),
    [
        (400, "IllegalArgumentException", "A required parameter is missing or not valid"),
        (401, "UnauthorizedException", "The role of this key may not do this"),
        (403, "AuthenticationFailedException", "Authentication Failed"),
        (413, "UnexpectedError", "Request body too large"),
        (503, "UnexpectedError", "Try again later"),
    ],
)
def test_a_failure_names_the_kind_of_error(status: int, errorcode: str, message: str) -> None:
    response = failure(status, "/api/grid/server/get")
    assert response.status == status
    assert json.loads(response.body) == {
        "summary": {"total": 1, "start": 0, "returned": 1},
        "status": "failure",
        "method": "/grid/server/get",
        "list": [{"object": "error", "errorcode": errorcode, "message": message}],
    }


@pytest.mark.parametrize(
    "target",
    ["/api/x?format=json", "/api/x?format=yaml", "/api/x?format=xml&format=csv", "/api/x?format", "/api/x?Format=xml"],
)
def test_the_format_is_json_unless_one_other_is_asked_for(target: str) -> None:
    assert json.loads(failure(403, target).body)["method"] == "/x"


@pytest.mark.parametrize("target", ["/api/x?format=xml", "/api/x?a&f%6frmat=x%6dl&b", "https://h/api/x?format=xml"])
def test_xml_on_request(target: str) -> None:
    response = failure(403, target)
    assert response.headers == (("Content-Type", "text/xml; charset=utf-8"),)
    assert response.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?><gogrid><response method="/x" status="failure">'
        '<summary total="1" start="0" returned="1"/><list><object name="error">'
        '<attribute name="errorcode">AuthenticationFailedException</attribute>'
        '<attribute name="message">Authentication Failed</attribute></object></list></response></gogrid>'
    )
    assert ET.fromstring(success(target).body).find("response/list/object") is None


def test_csv_on_request() -> None:
    response = failure(403, "/api/x?format=csv")
    assert response.headers == (("Content-Type", "text/csv; charset=utf-8"),)
    assert response.body.decode() == (
        "# FAILURE, /x, TOTAL, 1, START, 0, RETURNED, 1\n"
        "# errorcode,message\n"
        "AuthenticationFailedException,Authentication Failed\n"
    )
    assert success("/api/x?format=csv").body == b"# SUCCESS, /x, TOTAL, 0, START, 0, RETURNED, 0\n"


@pytest.mark.parametrize("path", _HOSTILE)
@pytest.mark.parametrize("status", [200, 403])
def test_a_hostile_path_stays_a_path(path: str, status: int) -> None:
    def answer(asked: str) -> bytes:
        target = f"{path}?format={asked}"
        return success(target).body if status == 200 else failure(status, target).body

    shape = [(element.tag, sorted(element.attrib)) for element in ET.fromstring(answer("xml")).iter()]
    plain = failure(403, "/?format=xml") if status == 403 else success("/?format=xml")
    assert shape == [(element.tag, sorted(element.attrib)) for element in ET.fromstring(plain.body).iter()]
    lines = answer("csv").decode().split("\n")
    assert len(lines) == (4 if status == 403 else 2)
    assert lines[0].count(",") == 7
    assert set(json.loads(answer("json"))) == {"summary", "status", "method", "list"}
