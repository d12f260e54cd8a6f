"""What is read of Invoke-WebRequest and Invoke-RestMethod, and what is refused since only PowerShell would know it."""

from __future__ import annotations

import json

import pytest

from tests.cli.command import undersign
from undersign import ConfigError, Request
from undersign.inputs.powershell import request_of_powershell
from undersign.inputs.recognised import kind_of

# As Chrome's developer tools write it: text escaped by `, what is not ASCII by $([char]…).
FROM_CHROME = """$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession
$session.UserAgent = "Mozilla/5.0 (X11; Linux x86_64)"
$session.Cookies.Add((New-Object System.Net.Cookie("sid", "a`$b", "/", "api.example")))
$session.Cookies.Add((New-Object System.Net.Cookie("lang", "de", "/", "api.example")))
Invoke-WebRequest -UseBasicParsing -Uri "https://api.example/orders?a=%2F&b=`$c" `
-Method "POST" `
-WebSession $session `
-Headers @{
"authority"="api.example"
  "method"="POST"
  "path"="/orders?a=%2F&b=`$c"
  "scheme"="https"
  "accept"="*/*"
  "x-quoted"="`"a`" and ``b``"
} `
-ContentType "application/json" `
-Body ([System.Text.Encoding]::UTF8.GetBytes("BODY"))
""".replace("BODY", '{`"name`":`"caf$([char]233) $([char]55357)$([char]56832)`",$([char]10)`"n`":1}')


def read(script: str) -> Request:
    return request_of_powershell(script).request


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_copy_of_a_browser_is_what_the_browser_has_sent(line_end: str) -> None:
    found = request_of_powershell(FROM_CHROME.replace("\n", line_end))
    request, body = found.request, '{"name":"café 😀",\n"n":1}'.encode()
    assert (request.method, request.origin, request.target) == ("POST", "https://api.example", "/orders?a=%2F&b=$c")
    assert request.body == body
    assert request.headers == (
        ("Host", "api.example"),
        ("accept", "*/*"),
        ("x-quoted", '"a" and `b`'),
        ("Cookie", "sid=a$b; lang=de"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
    )
    assert found.notes == (
        "authority, method, path and scheme are HTTP/2's own, as browsers copy them, and are left out",
    )


def test_a_script_of_ones_own_with_variables_that_it_sets() -> None:
    request = read(
        """# orders
[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
$base = 'https://api.example'
$headers = @{ Authorization = 'gotom_app_api it''s:abc='; 'X-A' = "1" }
$headers["X-B"] = '2'
$headers.Add("X-C", "3")
$body = @"
{
  "base": "$base"
}
"@
$answer = Invoke-RestMethod "$base/orders" -Me put -He $headers -Body $body -ContentType text/plain -TimeoutSec 5 |
  Select-Object -First 1
"""
    )
    assert (request.method, request.origin + request.target) == ("PUT", "https://api.example/orders")
    assert request.body == b'{\n  "base": "https://api.example"\n}'
    assert dict(request.headers)["Authorization"] == "gotom_app_api it's:abc="
    assert [dict(request.headers)[name] for name in ("X-A", "X-B", "X-C")] == ["1", "2", "3"]


def test_parameters_may_be_splatted() -> None:
    request = read("$p = @{ Uri = 'https://h/x'; Method = 'DELETE'; Headers = @{ A = 'b' } }\nInvoke-RestMethod @p")
    assert (request.method, request.target, dict(request.headers)["A"]) == ("DELETE", "/x", "b")


def test_a_hash_table_is_a_form_or_a_query() -> None:
    request = read("irm https://h/x -Method Post -Body ([ordered]@{ a = '1 2'; b = 'é' })")
    assert request.body == b"a=1+2&b=%C3%A9"
    assert dict(request.headers)["Content-Type"] == "application/x-www-form-urlencoded"
    assert read("irm 'https://h/x?z=1' -Body @{ a = 'b' }").target == "/x?z=1&a=b"


FROM_POSTMAN = """$headers = New-Object "System.Collections.Generic.Dictionary[[String],[String]]"
$headers.Add("Date", "2024-11-07T10:21:15Z")
$headers.Add("Content-Type", "application/json")

$body = @"
{
  `"name`": `"x`"
}
"@

$response = Invoke-RestMethod 'https://api.example/v1/orders' -Method 'POST' -Headers $headers -Body $body
$response | ConvertTo-Json
"""


def test_a_script_of_postman() -> None:
    request = read(FROM_POSTMAN)
    assert (request.method, request.origin, request.target) == ("POST", "https://api.example", "/v1/orders")
    assert request.values("date") == ["2024-11-07T10:21:15Z"]
    assert request.body == b'{\n  "name": "x"\n}'


@pytest.mark.parametrize(
    "made",
    [
        "New-Object System.Collections.Hashtable",
        "New-Object 'System.Collections.Generic.Dictionary[string,string]'",
        "New-Object -TypeName 'System.Collections.Generic.Dictionary[[String],[String]]'",
        "[System.Collections.Generic.Dictionary[string,string]]::new()",
        "@{}",
    ],
)
def test_headers_of_a_table_that_is_filled_later(made: str) -> None:
    assert read(f"$h = {made}\n$h.Add('X-A', 'b')\n$h['X-C'] = 'd'\nirm https://h/ -Headers $h").headers == (
        ("Host", "h"),
        ("X-A", "b"),
        ("X-C", "d"),
    )


@pytest.mark.parametrize(
    "written",
    [
        "'me:' + 'abc=' ",
        '("{0}:{1}" -f "me", \'abc=\')',
        '("me" + ":" + "{0}=" -f "abc")',
        "$('me:abc=')".replace("$(", "("),
    ],
)
def test_texts_that_are_put_together(written: str) -> None:
    script = f"$url = 'https://h' + '/a'\n$h = @{{ Authorization = {written} }}\nirm -Uri $url -Headers $h"
    request = read(script)
    assert request.target == "/a"
    assert request.values("authorization") == ["me:abc="]


def test_a_script_that_catches_errors_and_says_what_it_does() -> None:
    request = read(
        "Write-Host 'sending'\n$utf8 = [System.Text.Encoding]::UTF8\n$bytes = $utf8.GetBytes('{\"a\": \"é\"}')\n"
        "try {\n  $r = irm -Uri https://h/x -Method Put -Body $bytes\n} catch { Write-Host $_ }\n"
    )
    assert (request.method, request.body) == ("PUT", '{"a": "é"}'.encode())


def test_text_in_utf_8_is_read_where_the_type_says_so() -> None:
    script = "iwr https://h/ -Method Post -Body 'é' -ContentType 'text/plain; charset=utf-8'"
    assert read(script).body == "é".encode()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("Invoke-WebRequest -Method GET", "no -Uri"),
        ("irm $url", r"a variable, \$url, in line 1"),
        ('irm "https://h/$(Get-Date)"', "computes"),
        ("irm https://h/ -Body ($x | ConvertTo-Json)", "a variable"),
        ("$x = @{ a = 1 }; irm https://h/ -Body ($x | ConvertTo-Json)", "ConvertTo-Json"),
        ("irm https://h/ -Method Post -Body @{ a = 1; b = 2 }", "order"),
        ("irm https://h/ -Method Post -Body 'é'", "not in ASCII"),
        ("irm https://h/ -InFile x.json", "in a file"),
        ("irm https://h/ -Form @{ a = 'b' }", "boundary"),
        ("irm https://h/ -Credential $c", "Authorization"),
        ("irm https://h/ -Teleport", "not known"),
        ("irm 'https://h/", "does not end"),
        ("irm /x", "not absolute"),
        ("irm https://h/ -Headers 'a: b'", "no hash table"),
        ("irm https://h/ -Headers @{ 'a b' = 'c' }", "not in form"),
        ("irm https://h/ -Headers @{ a 'c' }", "cannot be read"),
        ("irm https://h/ -Method 'a b'", "no word"),
        ("$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession", "does something else"),
        ("Get-Date; irm https://h/", "does something else"),
        ("irm https://h/\nirm https://h/", "several commands"),
        ('irm https://h/ -Body "$([char]55357)" -Method Post', "half of a character"),
        ("irm " + "(" * 5000, "nested too deeply"),
        ("irm " + "@{a=" * 5000, "nested too deeply"),
    ],
)
def test_what_only_powershell_would_know_is_refused_by_name(script: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(script)


def test_commands_take_it_as_they_take_curl() -> None:
    signed = b"""PS C:\\> Invoke-WebRequest -Uri https://demo.gotom.io/app-api/campaign/26106 -Headers @{
      'Content-Type' = 'application/json'; Date = '2024-11-07T10:21:15Z'
      Authorization = 'gotom_app_api theusernameyoureceived:zyNLF+OesgakKbzViRcucSRi8MM=' }"""
    env = {"UNDERSIGN_SECRET": "thepasswordyoureceived"}
    for arguments in ((), ("--input", "powershell")):
        result = undersign("verify", "--at", "1730974875", "--json", *arguments, stdin=signed, env=env)
        assert json.loads(result.out)["result"] == "valid", result.err


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("GET / HTTP/1.1\r\n\r\n", "http"),
        ("curl https://h/", "curl"),
        ("$ curl https://h/", "curl"),
        ("# a note\n$ curl https://h/", "curl"),
        ("curl -Uri https://h/ -Method POST", "powershell"),
        ("$h = @{}\nirm https://h/", "powershell"),
        ("PS /home> iwr https://h/", "powershell"),
        ("fetch('https://h/')", "fetch"),
        ("// a note\nawait fetch('https://h/')", "fetch"),
        ("const url = 'https://h/';\nfetch(url)", "fetch"),
        ("https://h/x?y", "url"),
        (" POST https://h/x ", "url"),
        ("GET https://h/x HTTP/1.1", "http"),
        ('{"log": {}}', "har"),
        ("hello", "http"),
        ("", "http"),
    ],
)
def test_what_it_is_is_told_by_how_it_begins(text: str, kind: str) -> None:
    assert kind_of(text.encode()) == kind


def test_a_url_alone_is_read_as_a_get() -> None:
    result = undersign("explain", "--key-id", "me", "--at", "1730974875", "--json", stdin=b"https://h.example/x?y\n")
    assert "a URL alone is read as a GET" in result.err
    shown = {part["name"]: part["value"] for part in json.loads(result.out)["parts"]}
    assert shown["target"] == "/x?y"
