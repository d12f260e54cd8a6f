"""What a proxy between client and server does to a request, and the directives that keep it from it."""

from __future__ import annotations

TARGET = (
    "A proxy in front (or the client's HTTP library) most likely rewrote it. nginx: `proxy_pass` without a URI, not "
    "even `/`. Apache: `ProxyPass … nocanon`, `AllowEncodedSlashes NoDecode`, `MergeSlashes Off`. Caddy: no `rewrite`, "
    "`uri` or `handle_path`. HAProxy: no `http-request normalize-uri` or `set-path`."
)
"""For a target that arrived otherwise than it was signed."""

PREFIX = (
    "A proxy in front most likely took it off. nginx: `proxy_pass` without a URI. Apache: one path on both sides of "
    "`ProxyPass`. Caddy: `handle` for `handle_path`. HAProxy: no `http-request replace-path`. Or tell the server the "
    "prefix."
)
"""For the beginning of a path that did not arrive."""

HOST = (
    "A proxy in front most likely put another in its place. nginx: `proxy_set_header Host $http_host`. Apache: "
    "`ProxyPreserveHost On`. Caddy: no `header_up Host`. HAProxy: no `http-request set-header Host`."
)
"""For a Host that arrived otherwise than it was signed."""
