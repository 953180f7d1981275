"""What every use of the database needs: why it cannot be used, pieces of long work, and values that fit its columns."""

import os
import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection, models
from django.utils.translation import gettext as _

from exchange.core.reasons import PROBLEM_TEXTS, Problem, Sentence, problem

MIN_FREE_BYTES = 50 * 1024**2  # a day of cycles is below that

BY_SQLITE_TEXT: tuple[tuple[str, Problem], ...] = (
    ("disk is full", Problem.DATABASE_FULL),
    ("readonly database", Problem.DATABASE_READ_ONLY),
    ("unable to open database file", Problem.DATABASE_MISSING),
    ("malformed", Problem.DATABASE_DAMAGED),
    ("file is not a database", Problem.DATABASE_DAMAGED),
    ("disk I/O error", Problem.DATABASE_DAMAGED),
    ("no such table", Problem.DATABASE_EMPTY),
    ("no such column", Problem.DATABASE_EMPTY),
    ("locked", Problem.DATABASE_BUSY),
)
BY_SQLSTATE: tuple[tuple[str, Problem], ...] = (
    ("53100", Problem.DATABASE_FULL),
    ("25006", Problem.DATABASE_READ_ONLY),
    ("42P01", Problem.DATABASE_EMPTY),
    ("42703", Problem.DATABASE_EMPTY),
    ("XX001", Problem.DATABASE_DAMAGED),
    ("XX002", Problem.DATABASE_DAMAGED),
    ("55P03", Problem.DATABASE_BUSY),
    ("08", Problem.DATABASE_UNREACHABLE),
    ("57P", Problem.DATABASE_UNREACHABLE),
    ("53300", Problem.DATABASE_UNREACHABLE),
)
T = TypeVar("T")

TRANSACTION_ROWS = 500  # rows a transaction: longer ones keep the pages of a SQLite desk waiting
QUERY_BATCH = 5000  # ids a query: far below the parameters that SQLite and PostgreSQL take
INT32_LIMIT = 2**31


# Why the database cannot be used, as a sentence with what to do, and whether its disk will take more


def database_problem(error: BaseException | None) -> str | None:
    """The sentence for an error of the database; None for a mistake in a value or a statement, or another error."""
    found = database_sentence(error)
    return None if found is None else _(PROBLEM_TEXTS[found.reason.code]) % found.reason.params


def database_sentence(error: BaseException | None) -> Sentence | None:
    """The same in English, with its code."""
    if not isinstance(error, Error):
        return None
    for cause in _known_causes(error):
        return problem(cause)
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    if connection.vendor != "sqlite" and not _sqlstate(error):
        return problem(Problem.DATABASE_UNREACHABLE)
    return problem(Problem.DATABASE_UNUSABLE, kind=type(error).__name__)


def _known_causes(error: Error) -> Iterator[Problem]:
    if connection.vendor == "sqlite":
        yield from (cause for text, cause in BY_SQLITE_TEXT if text in str(error))
    else:
        yield from (cause for state, cause in BY_SQLSTATE if _sqlstate(error).startswith(state))


def storage_problems() -> Iterator[str]:
    """What is wrong with the place of the database, before anything fails."""
    file = _database_file()
    if file is not None and not file.exists():
        yield _(PROBLEM_TEXTS[Problem.DATABASE_MISSING])
        return
    place = settings.VAR_DIR if file is None else file.parent
    try:
        free = shutil.disk_usage(place).free
        is_read_only = bool(os.statvfs(place).f_flag & os.ST_RDONLY)
    except OSError:
        yield _("The folder %(folder)s cannot be read.") % {"folder": place}
        return
    if is_read_only or (file is not None and not os.access(file, os.W_OK)):
        yield _(PROBLEM_TEXTS[Problem.DATABASE_READ_ONLY])
    elif free < MIN_FREE_BYTES:
        yield _("The disk of %(folder)s is almost full: %(free)d MB are free.") % {
            "folder": place,
            "free": free // 1024**2,
        }


def _database_file() -> Path | None:
    name = str(connection.settings_dict["NAME"])
    is_file = connection.vendor == "sqlite" and not name.startswith("file:")
    return Path(name) if is_file else None


def _sqlstate(error: Exception) -> str:
    return str(getattr(error.__cause__, "pgcode", None) or "")


# Pieces of a sequence


def chunks(rows: Sequence[T], size: int = TRANSACTION_ROWS) -> list[Sequence[T]]:
    """Pieces of `rows`, each of at most `size`, in order."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


# Values from the exchange: an odd text or number must not fail a cycle


def fit_to_columns(model: type[models.Model], values: dict[str, Any]) -> dict[str, Any]:
    """`values` with texts cut to their columns and without NUL; a number beyond its column is not known."""
    lengths, numbers = _column_limits(model)
    for name, length in lengths:
        text = values.get(name)
        if text and (len(text) > length or "\0" in text):
            values[name] = text.replace("\0", "")[:length]
    for name in numbers:
        value = values.get(name)
        if value is not None and not -INT32_LIMIT <= value < INT32_LIMIT:
            values[name] = None
    return values


@cache
def _column_limits(model: type[models.Model]) -> tuple[list[tuple[str, int]], list[str]]:
    """How long each text may be, and which columns are small whole numbers."""
    columns = model._meta.concrete_fields
    lengths = [(column.name, column.max_length) for column in columns if column.max_length is not None]
    return lengths, [column.name for column in columns if column.get_internal_type() == "IntegerField"]
