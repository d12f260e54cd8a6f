"""Where a verifier's keys come from, besides a mapping: files, the environment, and lookups of one's own made better.

`undersign.keys.django` is for lookups that ask Django's ORM.
"""

from ..lookup import TenantKey
from .cached import CachedKeys
from .environment import EnvironmentKeys
from .file import KeyFile, load_keys

__all__ = ["CachedKeys", "EnvironmentKeys", "KeyFile", "TenantKey", "load_keys"]
