"""The fronts of the documentation's table, as they come and mended, and which of the 84 requests do not verify there.

Requests are named as in `cases`, by their kind or by themselves. Directives are written as the page shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from . import configs
from .cases import BARE_MARK, CASES, KINDS, Case
from .measuring import Refused
from .running import Front

ABOVE_ROOT = "dot segments that lead above the root"
DECODED = (
    "`%2F`",
    "`%2f`",
    "a leading `//`",
    "`//`",
    "dot segments",
    "needless escapes (`%7e`)",
    "escapes in lower case (`%e9`)",
)
"""What comes of a path that is decoded, tidied up and encoded anew."""
UNSAFE = '``\\| ^ ` \\ " < > { }`` in the path'
EMPTY_TYPE = "an empty Content-Type"
CHUNKS = ("a POST in chunks", "a PUT in chunks")

ASGI_LOSES: Refused = {"mismatch": (BARE_MARK,)}
"""What no front is to blame for: ASGI servers drop it."""


@dataclass(frozen=True)
class Row:
    """`refused` is in the order of the cases, and without what the server behind loses."""

    title: str
    front: Front
    refused: Refused = field(default_factory=dict)
    behind: str = "asgi"
    """`asgi` is uvicorn, `gunicorn` itself; `uwsgi`, `fastcgi` and `scgi` are ports of uWSGI; mod_wsgi has `none`."""
    is_forward: bool = False
    """It is asked in absolute form."""
    leaves_out: tuple[str, ...] = ()
    """Kinds of requests that cannot be sent to it."""
    said: str = ""
    """What the page says in place of a long list of what we refuse."""

    def __repr__(self) -> str:
        return f"{self.front} {self.title}"

    @property
    def cases(self) -> list[Case]:
        return [case for case in CASES if case.kind not in self.leaves_out]

    @property
    def lost_behind(self) -> Refused:
        return ASGI_LOSES if self.behind == "asgi" else {}


NGINX_LIMIT = "client_max_body_size 16m;"
NGINX_PASS = "proxy_pass http://127.0.0.1:8000;"
NGINX_REQUEST_URI = "proxy_pass http://127.0.0.1:8000$request_uri;"

APACHE_PROXY = """\
AllowEncodedSlashes NoDecode
MergeSlashes Off
ProxyPass "/" "http://127.0.0.1:8000/" nocanon
"""
APACHE_REWRITE = """\
AllowEncodedSlashes NoDecode
MergeSlashes Off
RewriteEngine On
RewriteCond %{THE_REQUEST} "^\\S+ (?:https?://[^/ ]+)?(/[^? ]*)"
RewriteRule ^ http://127.0.0.1:8000%1 [P,NE]
"""
APACHE_WSGI = """\
WSGIPassAuthorization On
WSGIChunkedRequest On
AllowEncodedSlashes NoDecode
MergeSlashes Off
"""
LIGHTTPD = """\
server.http-parseopts = (
  "method-get-body" => "enable",
  "url-normalize" => "disable"
)
"""
VARNISH = """\
import std;

sub vcl_recv {
  if (req.http.Authorization || req.url ~ "[?&]sig=") {
    if (req.method == "GET") {
      std.cache_req_body(1 MB);
    }
    return (pass);
  }
}
"""
SQUID = "request_entities on\n"

SHOWN = {"apache": (APACHE_PROXY, APACHE_REWRITE, APACHE_WSGI), "lighttpd": (LIGHTTPD,), "vcl": (VARNISH,)}
"""The blocks of the page, by their languages."""


def _nginx(*directives: str) -> Front:
    return configs.nginx("nginx", _behind(" ".join(directives)))


def _apache(modules: str, directives: str) -> Front:
    return configs.apache("apache", modules, _behind(directives))


def _behind(directives: str) -> str:
    return directives.replace("127.0.0.1:8000", "127.0.0.1:@behind@")


VARNISH_MENDED = configs.varnish("varnish", VARNISH, "-p feature=+http2")
_NGINX_REFUSES = {"400": (ABOVE_ROOT, "`%00` in the path")}
_NGINX_AS_IT_COMES = {**_NGINX_REFUSES, "413": ("a body of 3 MB",)}
_APACHE_REFUSES = {"400": (ABOVE_ROOT,), "404": ("`%00` in the path",)}
_APACHE_AS_IT_COMES = {"400": (ABOVE_ROOT,), "404": ("`%2F`", "`%2f`", "`%00` in the path")}

_TIDIED = (
    "`%2f`",
    "a leading `//`",
    "`//`",
    "dot segments",
    ABOVE_ROOT,
    "needless escapes (`%7e`)",
    "escapes in lower case (`%e9`)",
)
_WITHHELD = tuple(
    kind for kind in KINDS if kind not in (ABOVE_ROOT, "`%2F`", "`%2f`", "`%00` in the path", *CHUNKS, "GoGrid")
)

ROWS = [
    Row("HAProxy", configs.haproxy("haproxy")),
    Row(f"nginx, `{NGINX_PASS}`", _nginx(NGINX_PASS), _NGINX_AS_IT_COMES),
    Row(f"… with `{NGINX_LIMIT}`", _nginx(NGINX_LIMIT, NGINX_PASS), _NGINX_REFUSES),
    Row(
        "nginx, `proxy_pass http://127.0.0.1:8000/;`",
        _nginx("proxy_pass http://127.0.0.1:8000/;"),
        {**_NGINX_AS_IT_COMES, "mismatch": DECODED},
    ),
    Row(f"… with `{NGINX_LIMIT}` and `{NGINX_REQUEST_URI}`", _nginx(NGINX_LIMIT, NGINX_REQUEST_URI), _NGINX_REFUSES),
    Row(
        "Apache, `ProxyPass`",
        _apache("proxy proxy_http", 'ProxyPass "/" "http://127.0.0.1:8000/"\n'),
        {
            **_APACHE_AS_IT_COMES,
            "mismatch": (
                "a leading `//`",
                "`//`",
                "dot segments",
                "needless escapes (`%7e`)",
                UNSAFE,
                "`[ ]` in the path",
                "escapes in lower case (`%e9`)",
            ),
        },
    ),
    Row(
        "… with `nocanon`, `AllowEncodedSlashes NoDecode`, `MergeSlashes Off`",
        _apache("proxy proxy_http", APACHE_PROXY),
        {**_APACHE_REFUSES, "mismatch": ("a leading `//`",)},
    ),
    Row(
        "… with `RewriteRule` from `THE_REQUEST`", _apache("proxy proxy_http rewrite", APACHE_REWRITE), _APACHE_REFUSES
    ),
    Row(
        "Apache, mod_wsgi",
        configs.mod_wsgi("mod_wsgi"),
        {**_APACHE_AS_IT_COMES, "411": CHUNKS, "missing": _WITHHELD},
        behind="none",
        said="`missing`: all but GoGrid",
    ),
    Row(
        "… with `WSGIPassAuthorization On`",
        configs.mod_wsgi("mod_wsgi", "WSGIPassAuthorization On\n"),
        {**_APACHE_AS_IT_COMES, "411": CHUNKS, "malformed": (EMPTY_TYPE,)},
        behind="none",
    ),
    Row(
        "… and `WSGIChunkedRequest On`, `AllowEncodedSlashes NoDecode`, `MergeSlashes Off`",
        configs.mod_wsgi("mod_wsgi", APACHE_WSGI),
        {**_APACHE_REFUSES, "malformed": (EMPTY_TYPE,)},
        behind="none",
    ),
    Row("Caddy", configs.caddy("caddy"), {"mismatch": (UNSAFE,)}),
    Row(
        "lighttpd",
        configs.lighttpd("lighttpd"),
        {
            "400": ("`%00` in the path", "`%00` in the query", "`%0A` in the path", "a GET with a body"),
            "malformed": (EMPTY_TYPE,),
            "mismatch": (
                "`%2F`",
                "`%2f`",
                "a leading `//`",
                "`//`",
                "dot segments",
                ABOVE_ROOT,
                "needless escapes (`%7e`)",
                UNSAFE,
                "the same in the query",
                "`[ ]` in the path",
                "escapes in lower case (`%e9`)",
                "escapes in the query",
                "a bare `%` in the query",
                "an empty signed header",
            ),
        },
    ),
    Row(
        "… with `url-normalize` disabled and `method-get-body` enabled",
        configs.lighttpd("lighttpd", LIGHTTPD),
        {"malformed": (EMPTY_TYPE,), "mismatch": ("an empty signed header",)},
    ),
    Row("Varnish", configs.varnish("varnish"), {"mismatch": ("a GET with a body",)}),
    Row("… with `std.cache_req_body` and `return (pass)`", VARNISH_MENDED),
    Row("h2o", configs.h2o("h2o"), {"mismatch": ("the absolute form",)}),
    Row(
        "nghttpx",
        configs.nghttpx("nghttpx"),
        {
            "501": ("the method QUERY",),
            "mismatch": _TIDIED,
        },
    ),
    Row("Envoy", configs.envoy("envoy")),
    Row(
        "… with `normalize_path: true`, which is Istio's default",
        configs.envoy("envoy", "normalize_path: true"),
        {
            "400": ("`%00` in the path",),
            "mismatch": ("dot segments", ABOVE_ROOT, "needless escapes (`%7e`)", UNSAFE),
        },
    ),
    Row("squid, as a forward proxy", configs.squid("squid"), {"411": ("a GET with a body",)}, is_forward=True),
    Row("… with `request_entities on`", configs.squid("squid", SQUID), is_forward=True),
]


def _nginx_to_uwsgi(protocol: str, *directives: str) -> Row:
    """nginx that hands the request on by another protocol, with Debian's parameters and what they lack."""
    parameters = f"/etc/nginx/{protocol}_params"
    passed = (NGINX_LIMIT, f"include {parameters};", *directives, f"{protocol}_pass 127.0.0.1:8000;")
    front = replace(_nginx(*passed), needs=(parameters,))
    return Row(f"nginx, `{protocol}_pass` to uWSGI", front, _NGINX_REFUSES, behind=protocol)


TO_WSGI = [
    Row(
        "HAProxy, over HTTP to gunicorn",
        configs.haproxy("haproxy"),
        {"malformed": (EMPTY_TYPE,)},
        behind="gunicorn",
    ),
    _nginx_to_uwsgi("uwsgi"),
    _nginx_to_uwsgi("fastcgi", "fastcgi_param PATH_INFO $document_uri;", 'fastcgi_param SCRIPT_NAME "";'),
    _nginx_to_uwsgi("scgi", "scgi_param PATH_INFO $document_uri;", 'scgi_param SCRIPT_NAME "";'),
    Row(
        "Apache, mod_proxy_uwsgi to uWSGI",
        _apache("proxy proxy_uwsgi", 'ProxyPass "/" "uwsgi://127.0.0.1:8000/"\n'),
        {**_APACHE_AS_IT_COMES, "411": CHUNKS, "malformed": (EMPTY_TYPE,)},
        behind="uwsgi",
    ),
]


def _over_http2(title: str, front: Front, refused: Refused) -> Row:
    return Row(title, front, refused, leaves_out=("the absolute form",))


OVER_HTTP2 = [
    _over_http2("HAProxy", configs.haproxy("haproxy", bind="proto h2"), {}),
    _over_http2(
        "nginx", configs.nginx("nginx", _behind(f"{NGINX_LIMIT} {NGINX_PASS}"), listen="http2"), _NGINX_REFUSES
    ),
    _over_http2(
        "Apache, with `nocanon` and the others",
        _apache("proxy proxy_http http2", "Protocols h2c http/1.1\n" + APACHE_PROXY),
        {**_APACHE_REFUSES, "mismatch": ("a leading `//`",)},
    ),
    _over_http2("Caddy", configs.caddy("caddy", protocols="h1 h2c"), {"mismatch": (UNSAFE,)}),
    _over_http2(
        "lighttpd, with `url-normalize` disabled and `method-get-body` enabled",
        configs.lighttpd("lighttpd", LIGHTTPD),
        {"411": CHUNKS[:1], "malformed": (EMPTY_TYPE,), "mismatch": ("an empty signed header",)},
    ),
    _over_http2("Varnish", VARNISH_MENDED, {}),
    _over_http2("Envoy", configs.envoy("envoy"), {}),
    _over_http2("h2o", configs.h2o("h2o"), {}),
    _over_http2("nghttpx", configs.nghttpx("nghttpx"), {"501": ("the method QUERY",), "mismatch": _TIDIED}),
]
