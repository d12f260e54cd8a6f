"""The Ruby gem api_auth: an HMAC of method, content type, the body's digest, path with query, and date.

Source: https://github.com/mgomes/api_auth (lib/api_auth and spec), with published answers
Window: 15 minutes either side.
Refusal: the app decides, 401 as a rule.
Mistakes: a secret that looks like base64 and is text; a signature in hex; the digest of an empty body, which a server
    may leave out; the method left out of a string that is made by hand.
"""

from __future__ import annotations

from typing import Literal

from ...core.dates import Window
from ...recipe import Recipe


def api_auth(
    *, algorithm: str = "sha1", content_hash: Literal["sha256", "md5"] = "sha256", method: bool = True
) -> Recipe:
    """The gem's version 2. `algorithm` is named in the header but for SHA-1; `content_hash` is md5 for Content-MD5 as
    older versions have it; without `method` it is version 1."""
    named = "" if algorithm == "sha1" else f"-HMAC-{algorithm.upper()}"
    header = "Content-MD5" if content_hash == "md5" else "X-Authorization-Content-SHA256"
    parts = [{"part": "content-type", "absent": "nothing"}, {"part": f"header:{header}", "absent": "nothing"}]
    return Recipe(
        name="api-auth",
        parts=[*(["method"] if method else []), *parts, "target", "time"],
        joiner=",",
        mac=f"hmac-{algorithm}",
        encoding="base64",
        time="http",
        window=Window(past=900, future=900),
        headers={"Authorization": f"APIAuth{named} {{key_id}}:{{signature}}", "Date": "{time}"}
        | {header: f"{{body:{content_hash}:base64?}}"},
    )
