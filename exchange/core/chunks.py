"""Cuts a sequence into pieces (pure)."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

TRANSACTION_ROWS = 500  # rows a transaction: longer ones keep the pages of a SQLite desk waiting
QUERY_BATCH = 5000  # ids a query: far below the parameters that SQLite and PostgreSQL take


def chunks(rows: Sequence[T], size: int = TRANSACTION_ROWS) -> list[Sequence[T]]:
    """Pieces of `rows`, each of at most `size`, in order."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
