"""PostgreSQL: a zip with one file per table, written by COPY in one snapshot, without PostgreSQL client programs."""

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from portfolio.backup.origin import EXCLUDED_TABLES, BackupOrigin, RestoreError, current_origin

VENDOR = "postgresql"
FORMAT = 1
MANIFEST = "manifest.json"
COLUMNS = """SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"""


def save(draft: Path) -> None:
    """In one snapshot; nobody has to wait."""
    with (
        transaction.atomic(),
        connection.cursor() as cursor,
        zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        columns = _columns(cursor)
        archive.writestr(MANIFEST, _manifest(columns))
        for table in columns:
            with archive.open(_member(table), "w", force_zip64=True) as out:
                if table not in EXCLUDED_TABLES:
                    cursor.copy_expert(f"COPY {_table_with_columns(table, columns[table])} TO STDOUT", out)


def is_ours(file: Path) -> bool:
    return zipfile.is_zipfile(file)


def origin(file: Path) -> BackupOrigin:
    found = _read(file)
    return BackupOrigin(
        vendor=VENDOR,
        environment=found["environment"],
        account=found["account"],
        migrations=frozenset((app, name) for app, name in found["migrations"]),
    )


def load(file: Path) -> None:
    """All or nothing: the tables of the migrations of the backup, then their rows. Later migrations run afterwards."""
    found = _read(file)
    tables: dict[str, list[str]] = found["tables"]
    with transaction.atomic(), connection.cursor() as cursor, zipfile.ZipFile(file) as archive:
        _drop_tables(cursor, tables)
        executor = MigrationExecutor(connection)
        executor.migrate(_latest_migrations(executor, {(app, name) for app, name in found["migrations"]}))
        cursor.execute(f"TRUNCATE {', '.join(map(_quoted, tables))} CASCADE")
        for table, columns in tables.items():
            with archive.open(_member(table)) as rows:
                cursor.copy_expert(f"COPY {_table_with_columns(table, columns)} FROM STDIN", rows)
            if "id" in columns:
                _reset_sequence(cursor, table)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _latest_migrations(executor: MigrationExecutor, applied: set[tuple[str, str]]) -> list[tuple[str, str]]:
    # For each app, the migrations after which none was applied.
    nodes = executor.loader.graph.node_map
    applied &= set(nodes)  # the graph leaves out what a squashed migration replaces
    later = {one: {child.key for child in nodes[one].children if child.key[0] == one[0]} for one in applied}
    return sorted(one for one in applied if not later[one] & applied)


def _drop_tables(cursor: Any, tables: Iterable[str]) -> None:
    # Only our own: another program may use the same database.
    own_tables = {*tables, *connection.introspection.django_table_names(), "django_migrations"}
    for table in sorted(own_tables & set(connection.introspection.table_names(cursor))):
        cursor.execute(f"DROP TABLE {_quoted(table)} CASCADE")


def _reset_sequence(cursor: Any, table: str) -> None:
    name = _quoted(table)
    cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [name])
    if (sequence := cursor.fetchone()[0]) is not None:
        last = f"SELECT setval(%s, coalesce(max(id), 1), max(id) IS NOT NULL) FROM {name}"  # noqa: S608
        cursor.execute(last, [sequence])


def _columns(cursor: Any) -> dict[str, list[str]]:
    # Of our own tables, in order.
    own_tables = {*connection.introspection.django_table_names(), "django_migrations"}
    cursor.execute(COLUMNS)
    found: dict[str, list[str]] = {}
    for table, column in cursor.fetchall():
        if table in own_tables:
            found.setdefault(table, []).append(column)
    return found


def _manifest(columns: dict[str, list[str]]) -> str:
    here = current_origin()
    what = {
        "format": FORMAT,
        "version": settings.VERSION,
        "made_at": timezone.now(),
        "environment": here.environment if here else "",
        "account": here.account if here else "",
        "migrations": sorted(here.migrations) if here else [],
        "tables": columns,
    }
    return json.dumps(what, cls=DjangoJSONEncoder)


def _read(file: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            if archive.testzip() is not None:
                raise RestoreError(f"{file} is damaged.")
            found: dict[str, Any] = json.loads(archive.read(MANIFEST))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise RestoreError(f"{file} is not a backup of Exchange Desk ({error}).") from None
    if found.get("format") != FORMAT:
        raise RestoreError(f"{file} has a format that this version does not know.")
    return found


def _member(table: str) -> str:
    return f"tables/{table}"


def _table_with_columns(table: str, columns: list[str]) -> str:
    return f"{_quoted(table)} ({', '.join(map(_quoted, columns))})"


def _quoted(name: str) -> str:
    # A name from a manipulated file cannot end its quotes.
    return '"' + name.replace('"', '""') + '"'
