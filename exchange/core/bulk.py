"""Many rows of one table without a model instance for each: read, written in one statement, found by a list of ids.

A model costs several times as much as the row itself, and a busy cycle stores thousands.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from functools import cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.lookups import Lookup

from exchange.core.database import chunks
from exchange.fields import ExactDecimalField, format_decimal

Values = Sequence[Any]
if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
    AnyLookup = Lookup[Any]
else:
    AnyField, AnyLookup = models.Field, Lookup  # not subscriptable when it runs
# Columns whose values both databases take as they are.
PLAIN_COLUMNS = ("CharField", "TextField", "BooleanField", "IntegerField", "BigIntegerField", "BigAutoField")
UTC_SUFFIX = len("+00:00")
POSTGRES_ROWS = 500  # of one statement; SQLite prepares one for all rows


class TableRow:
    """One row of a table, its columns as attributes."""

    def __init__(self, values: dict[str, Any]) -> None:
        """`values` by column become the attributes themselves, without a copy."""
        self.__dict__ = values

    def values(self, names: tuple[str, ...]) -> Values:
        return _getter(names)(vars(self))


@cache
def _getter(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Values]:
    return itemgetter(*names)


def rows_read(rows: QuerySet[Any], names: Sequence[str]) -> list[tuple[Any, ...]]:
    """The columns `names` of these rows, as `values_list`; equal values of a column are one object.

    A column is converted at once, each value of it once: most rows share most of theirs.
    """
    compiler = rows.values_list(*names).query.get_compiler(connection=connection)
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        columns = list(zip(*cursor.fetchall(), strict=True))
    if columns:
        expressions = [column[0] for column in compiler.select]
        for index, (converters, expression) in compiler.get_converters(expressions).items():
            columns[index] = _converted(columns[index], converters, expression)
    return list(zip(*columns, strict=True))


def _converted(values: Values, converters: Iterable[Callable[..., Any]], expression: Any) -> Any:
    known = {value: value for value in values}
    for convert in converters:
        known = {value: convert(found, expression, connection) for value, found in known.items()}
    return [known[value] for value in values]


def rows_write(
    model: type[models.Model],
    names: Sequence[str],
    rows: Sequence[Values],
    *,
    unique: Sequence[str] = (),
    update: Sequence[str] = (),
) -> None:
    """Insert `rows`, which hold the values of the columns `names` (`attname` of the fields) as a model would.

    A row that is there already, by the columns `unique`, changes in the columns `update`; without any it stays.
    Every column without a default of the database must be named. Call it in a transaction.
    """
    if not rows:
        return
    fields = _fields(model, names)
    start = f"INSERT INTO {_table(model)} ({', '.join(_columns(fields))}) VALUES "  # noqa: S608  (names of ours)
    end = _on_conflict(model, unique, update) if unique else ""
    _execute(start, f"({', '.join(['%s'] * len(fields))})", end, _adapted_rows(fields, rows))


def rows_update(model: type[models.Model], names: Sequence[str], rows: Sequence[Values]) -> None:
    """Change the columns `names` of stored rows: the values of each, its key last. Call it in a transaction."""
    if not rows:
        return
    fields = _fields(model, [*names, str(model._meta.pk and model._meta.pk.attname)])
    *columns, key = _columns(fields)
    adapted = _adapted_rows(fields, rows)
    update = f"UPDATE {_table(model)} SET "  # noqa: S608  (names of ours)
    if connection.vendor == "sqlite":
        changes = ", ".join(f"{column} = %s" for column in columns)
        _execute(update, f"{changes} WHERE {key} = %s", "", adapted)
        return
    *kinds, kind = [field.rel_db_type(connection) for field in fields]  # as text alone they have none
    changes = ", ".join(
        f"{column} = new.{column}::{kind}" for column, kind in zip(columns, kinds, strict=True)
    )
    named = f"AS new ({', '.join([*columns, key])}) WHERE {_table(model)}.{key} = new.{key}::{kind}"
    one = f"({', '.join(['%s'] * len(fields))})"
    _execute(f"{update}{changes} FROM (VALUES ", one, f") {named}", adapted)


def _execute(start: str, one: str, end: str, rows: Sequence[Values]) -> None:
    """The statement for all rows, whose part for a row is `one`."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(start + one + end, rows)
            return
        for part in chunks(rows, POSTGRES_ROWS):
            values = [value for row in part for value in row]
            cursor.execute(start + ", ".join([one] * len(part)) + end, values)


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _on_conflict(model: type[models.Model], unique: Sequence[str], update: Sequence[str]) -> str:
    keys = ", ".join(_columns(_fields(model, unique)))
    changes = ", ".join(f"{name} = excluded.{name}" for name in _columns(_fields(model, update)))
    return f" ON CONFLICT ({keys}) DO " + (f"UPDATE SET {changes}" if changes else "NOTHING")


def _fields(model: type[models.Model], names: Sequence[str]) -> list[AnyField]:
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    return [by_name[name] for name in names]


def _columns(fields: Sequence[AnyField]) -> list[str]:
    return [connection.ops.quote_name(str(field.column)) for field in fields]


def _adapted_rows(fields: Sequence[AnyField], rows: Sequence[Values]) -> list[Values]:
    return list(zip(*map(_adapted, fields, zip(*rows, strict=True)), strict=True))


def _adapted(field: AnyField, values: Values) -> Iterable[Any]:
    """The values of one column as the driver takes them."""
    kind = field.get_internal_type()
    if kind in PLAIN_COLUMNS:
        return values
    if kind == "DateTimeField":
        return _adapted_times(values)
    if isinstance(field, ExactDecimalField):
        return values if connection.vendor == "postgresql" else map(_decimal_text, values)
    adapt = partial(field.get_db_prep_save, connection=connection)
    if kind == "JSONField":
        empty = adapt([])  # as most are
        return [empty if value == [] else adapt(value) for value in values]
    return map(adapt, values)


def _decimal_text(value: Decimal | None) -> str | None:
    if value is None:
        return None
    text = str(value)
    return format_decimal(value) if "E" in text or text[0] == "-" else text


def _adapted_times(values: Values) -> Iterable[Any]:
    """On SQLite as Django writes them: UTC without saying so."""
    if connection.vendor == "postgresql":
        return values
    return [None if value is None else value.astimezone(UTC).isoformat(" ")[:-UTC_SUFFIX] for value in values]


@models.Field.register_lookup
class AnyOf(AnyLookup):
    """`order_id__any_of=ids`: as `__in`, with all ids in one parameter. Thousands of parameters cost more than the
    rows.
    """

    lookup_name = "any_of"

    def get_prep_lookup(self) -> list[Any]:
        return list(self.rhs)

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        ids = "(SELECT value FROM json_each(%s))"
        return f"{column} IN {ids}", [*params, json.dumps(self.rhs)]

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*params, self.rhs]
