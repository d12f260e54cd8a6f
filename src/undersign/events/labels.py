"""Labels of metrics: few values, whoever calls. A client can send any key id, so none is a label unless it is named."""

from __future__ import annotations

from collections.abc import Collection

from ..errors import ConfigError
from .event import Event

OTHER = "other"
"""The label of a key id that is not named."""


def named_keys(key_ids: Collection[str]) -> frozenset[str]:
    """The key ids that have a label of their own. Raises ConfigError for one string in their place."""
    if isinstance(key_ids, str):
        raise ConfigError(f"key_ids is a collection of key ids: write key_ids=[{key_ids!r}]")
    return frozenset(key_ids)


def labels_of(event: Event, key_ids: frozenset[str]) -> dict[str, str]:
    """`scheme`, which is `none` where nothing is claimed; `reason`, or `verified`; `key_id` where any is named.

    Whoever is refused has only claimed the key id, so the label counts there what was claimed.
    """
    labels = {"scheme": event.scheme or "none", "reason": event.reason or "verified"}
    if key_ids:
        labels["key_id"] = event.key_id if event.key_id in key_ids else OTHER
    return labels
