"""One file with everything of one moment, and the way back. It holds no key and no session: neither is in it."""

from portfolio.backup.origin import BackupOrigin, RestoreError
from portfolio.backup.services import backup_create, backup_origin, backup_restore

__all__ = ["BackupOrigin", "RestoreError", "backup_create", "backup_origin", "backup_restore"]
