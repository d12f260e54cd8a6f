"""Tuya's cloud: HMAC-SHA256 of client id, access token, time, nonce, method, the body's digest, headers and URL.

Source: https://developer.tuya.com/en/docs/iot/new-singnature, with published examples
Window: five minutes either side (unchecked).
Refusal: 200 with code 1004 for the signature and 1013 for the time (unchecked).
Mistakes: a query that is not sorted; the signature in lower case; the line feed behind the block of headers left out
    where there are none; the access token signed where a token is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...recipe import Recipe


def tuya(*, signed_headers: Sequence[str] = ("area_id", "call_id")) -> Recipe:
    """Tuya's OpenAPI. The extra `access_token` is left out to ask for one. `signed_headers` are signed where the
    request has them."""
    lines = {"names": list(signed_headers), "sort": "none", "pair": ":", "between": ":", "ended": True}
    end = "literal:\n"
    return Recipe(
        name="tuya",
        parts=[
            *("key_id", "extra:access_token", "time", "nonce", "method", end, "body:sha256", end),
            *({"part": "headers", **lines}, end, "path", {"part": "params", "start": "?"}),
        ],
        mac="hmac-sha256",
        encoding="HEX",
        time="unix-ms",
        headers={"client_id": "{key_id}", "access_token": "{extra.access_token?}", "sign": "{signature}"}
        | {"t": "{time}", "sign_method": "HMAC-SHA256", "nonce": "{nonce?}", "Signature-Headers": "{headers?}"},
    )
