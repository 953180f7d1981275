"""Cells of a CSV file: exact, and harmless in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

from exchange.fields import plain

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula, also in full width."""
MARK = "\ufeff"
"""Tells a spreadsheet that the file is UTF-8."""
Cell = object
EXACT_DIGITS = 15
"""A spreadsheet takes digits for a number and keeps no more than these."""


def cell_text(value: Cell, *, for_sheet: bool = False) -> str:
    """Numbers in plain digits, times in UTC with Z; a text that looks like a formula gets an apostrophe before it.

    A negative number is no text and stays a number. `for_sheet`: an id of more digits than a spreadsheet keeps
    gets the apostrophe too, and is read whole.
    """
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    is_long_id = for_sheet and text.isdigit() and len(text) > EXACT_DIGITS
    return f"'{text}" if is_long_id or text.lstrip(" ").startswith(FORMULA) else text


def csv_lines(
    head: Sequence[str], rows: Iterable[Sequence[Cell]], *, for_sheet: bool = False
) -> Iterator[str]:
    """The file, line by line: it is never whole in memory."""
    yield MARK + _line(head)
    for row in rows:
        yield _line([cell_text(cell, for_sheet=for_sheet) for cell in row])


def _line(cells: Sequence[str]) -> str:
    text = StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
