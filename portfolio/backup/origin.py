"""Whose record a database or a backup is."""

from dataclasses import dataclass

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from exchange.models import AccountBinding

EXCLUDED_TABLES = ("django_session", "django_q_ormq")
"""A session in a stolen backup would be a login; a task of that day is not to be run again."""


class RestoreError(RuntimeError):
    """The backup is not what may be put here; the words are for the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupOrigin:
    """`environment` and `account` are empty before the first cycle; `migrations` are (app, name)."""

    vendor: str
    environment: str
    account: str
    migrations: frozenset[tuple[str, str]]

    @property
    def description(self) -> str:
        return f"account {self.account} in {self.environment}" if self.account else "no account yet"

    def is_same_account(self, other: "BackupOrigin") -> bool:
        """One of them without an account belongs to nobody, so it is no stranger."""
        both = self.account and other.account
        return not both or (self.environment, self.account) == (other.environment, other.account)


def current_origin() -> BackupOrigin | None:
    """Of the database that the settings name; None when nothing is in it yet."""
    recorder = MigrationRecorder(connection)
    if not recorder.has_table():
        return None
    applied = frozenset(recorder.applied_migrations())
    table = AccountBinding._meta.db_table
    bound = AccountBinding.objects.first() if table in connection.introspection.table_names() else None
    return BackupOrigin(
        vendor=connection.vendor,
        environment=bound.environment if bound else "",
        account=bound.account_uuid if bound else "",
        migrations=applied,
    )
