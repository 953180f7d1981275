"""Backup and restore of the whole database in one file. It holds no exchange key and no session."""

from portfolio.backup.origin import BackupOrigin, RestoreError
from portfolio.backup.services import backup_create, backup_origin, backup_restore

__all__ = ["BackupOrigin", "RestoreError", "backup_create", "backup_origin", "backup_restore"]
