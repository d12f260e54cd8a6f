"""The credential that check_scheme() tries a scheme with where its caller gives none: in the scheme's own form."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from ..core.credentials import Credential
from ..recipe import Recipe
from ..scheme import Scheme

SECRET = b"a secret that nothing else looks like"
_FORMS = (SECRET, base64.b64encode(SECRET), SECRET.hex().encode(), b"whsec_" + base64.b64encode(SECRET))


def usual_credential(
    scheme: Scheme, key_id: str | None, secret: str | bytes | None, extra: Mapping[str, str]
) -> Credential:
    """What is given, and the rest made up. A scheme that raises where it is asked is left to the laws."""
    if key_id is None:
        caller_sets_it = isinstance(scheme, Recipe) and scheme.key_id_param is not None
        key_id = "key" if scheme.sends_key_id and not caller_sets_it else scheme.name
    try:
        made_up = {name: f"a-{name}" for name in scheme.extras}
        usual = next((form for form in _FORMS if scheme.secret_problem(form) is None), SECRET)
    except Exception:
        made_up, usual = {}, SECRET
    return Credential(key_id, usual if secret is None else secret, extra={**made_up, **extra})
