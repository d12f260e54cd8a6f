"""For tests: clients that sign, a clock that stands, the difference of two strings to sign, the laws of a scheme.

    client = signed_test_client(app, GoTom(), "user", "secret")
    assert client.get("/orders").status_code == 200

With pytest the fixtures `undersign_clock` and `undersign_verifier` are there as soon as undersign is installed.
"""

from typing import TYPE_CHECKING

from ..core.later import later

if TYPE_CHECKING:
    from .clients import signed_async_client, signed_django_client, signed_flask_client, signed_test_client
    from .clock import FrozenClock
    from .laws import check_scheme
    from .strings import assert_string_to_sign

__all__ = [
    "FrozenClock",
    "assert_string_to_sign",
    "check_scheme",
    "signed_async_client",
    "signed_django_client",
    "signed_flask_client",
    "signed_test_client",
]

# Each test run of whoever has undersign installed imports this, so it brings nothing along.
__getattr__ = later(
    __name__,
    {
        "FrozenClock": ".clock",
        "assert_string_to_sign": ".strings",
        "check_scheme": ".laws",
        "signed_async_client": ".clients",
        "signed_django_client": ".clients",
        "signed_flask_client": ".clients",
        "signed_test_client": ".clients",
    },
)
