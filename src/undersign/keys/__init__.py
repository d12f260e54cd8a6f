"""Where a verifier's keys come from, besides a mapping: files, the environment, and lookups of one's own made better.

`undersign.keys.django` is for lookups that ask Django's ORM.
"""

from ..verifying.lookup import TenantKey
from .cached import CachedKeys
from .environment import EnvironmentKeys
from .file import KeyFile, load_keys
from .usage import KeyUsage, Use

__all__ = ["CachedKeys", "EnvironmentKeys", "KeyFile", "KeyUsage", "TenantKey", "Use", "load_keys"]
