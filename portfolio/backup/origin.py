"""Which account a database or a backup belongs to."""

from dataclasses import dataclass

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from exchange.models import AccountBinding

EXCLUDED_TABLES = ("django_session", "django_q_ormq", "django_q_schedule", "django_q_task")
"""Neither saved nor restored: a session in a stolen backup would be a login, and an altered task or schedule would
run what it names.
"""


class RestoreError(RuntimeError):
    """Why a backup cannot be restored, as a text for the user."""


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
        """True as well when one of them has no account yet."""
        both = self.account and other.account
        return not both or (self.environment, self.account) == (other.environment, other.account)


def current_origin() -> BackupOrigin | None:
    """Of the configured database; None when it is empty."""
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
