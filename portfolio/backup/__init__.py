"""One file with everything of one moment, and the way back. It holds no key and no session: neither is in it."""

from portfolio.backup.origin import NotRestorable, Origin
from portfolio.backup.services import backup_make, backup_origin, backup_restore

__all__ = ["NotRestorable", "Origin", "backup_make", "backup_origin", "backup_restore"]
