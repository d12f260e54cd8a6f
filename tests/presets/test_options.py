"""The options of presets: each default can be written as text, and what an option cannot be is refused."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

from tests.cli.command import undersign
from undersign import ConfigError, Window, presets
from undersign.registry import build_scheme, parse_option

WITH_DEFAULTS = [
    (name, option, parameter.default)
    for name in dir(presets)
    for option, parameter in inspect.signature(getattr(presets, name)).parameters.items()
    if parameter.default not in (parameter.empty, None)
]


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Window):
        return f"{value.past},{value.future}"
    return ",".join(value) if isinstance(value, (tuple, frozenset)) else str(value)


@pytest.mark.parametrize(("name", "option", "default"), WITH_DEFAULTS)
def test_a_default_that_is_written_as_text_makes_the_same_scheme(name: str, option: str, default: Any) -> None:
    scheme = name.replace("_", "-")
    assert build_scheme(scheme, {option: parse_option(scheme, option, written(default))}) == getattr(presets, name)()


@pytest.mark.parametrize(
    ("scheme", "option", "signed"),
    [
        ("kong-hmac", "signed_headers=date,request-line", 'headers="date request-line"'),
        ("apisix-hmac", 'signed_headers=["@request-target", "date"]', 'headers="@request-target date"'),
        ("tuya", "signed_headers=X-Area", "Signature-Headers: x-area"),
    ],
)
def test_lists_of_names_on_the_command_line(scheme: str, option: str, signed: str) -> None:
    result = undersign(
        "sign", "GET", "https://a.example/x", "--scheme", scheme, "--key-id", "k", "-o", option, "-H", "X-Area: 7"
    )
    assert signed in result.text, result.err


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("duo", {"version": "3"}, "version is '2' or '4' or '5', not '3'"),
        ("duo", {"version": 5}, "version is '2' or '4' or '5', not 5"),
        ("kucoin", {"key_version": 2}, "key_version is '1' or '2' or '3', not 2"),
        ("qiniu", {"version": "v2"}, "version is 'qiniu' or 'qbox', not 'v2'"),
        ("cloudinary", {"signature_version": True}, "signature_version is 1 or 2, not True"),
        ("dns_made_easy", {"zone": "EST"}, "zone is 'GMT' or 'UTC' or '+0000', not 'EST'"),
        ("api_auth", {"method": "no"}, "method is True or False, not 'no'"),
        ("upyun", {"password": 1}, "password is True or False, not 1"),
        ("tuya", {"signed_headers": "X-Area"}, 'signed_headers is a list of names, such as ["X-Name"], not'),
        ("kong_hmac", {"signed_headers": [b"date"]}, "signed_headers is a list of names"),
        ("marvel", {"window": 60}, "window is a Window or None, not 60"),
        ("bybit", {"recv_window": 1.5}, "recv_window is a whole number or text, not 1.5"),
    ],
)
def test_what_an_option_cannot_be(name: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        getattr(presets, name)(**options)
    assert sentence in str(caught.value)


def test_a_number_among_choices_is_read_from_text() -> None:
    assert parse_option("cloudinary", "signature_version", "1") == 1
    assert build_scheme("cloudinary", {"signature_version": 1}) == presets.cloudinary(signature_version=1)
    with pytest.raises(ConfigError, match="signature_version is 1 or 2"):
        build_scheme("cloudinary", {"signature_version": parse_option("cloudinary", "signature_version", "3")})


def test_an_option_without_its_name_is_no_option() -> None:
    with pytest.raises(TypeError, match=r"duo\(\) takes 0 positional arguments"):
        presets.duo("2")


@pytest.mark.parametrize("name", ["duo", "twilio"])
def test_what_makes_a_preset_is_pickled_by_name(name: str) -> None:
    assert pickle.loads(pickle.dumps(getattr(presets, name))) is getattr(presets, name)
