"""Which parts of a new report about an order are news, so that a stale answer never moves it back (pure)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from exchange.types import is_terminal

FILLS = ("filled_quantity", "filled_value", "average_price", "cumulative_fee")
OPENING = ("PENDING", "NEW", "ACTIVE")

Values = Mapping[str, Any]


def news(old: Values, new: Values) -> dict[str, Any]:
    """The fields of `old` that `new` changes.

    Executed quantity never falls, a finished order never opens again, and what a report leaves out (dossier
    5.16: rows differ by method) stays as we knew it. An older report only tells what was not known at all.
    """
    found = dict(_fills(old, new)) | dict(_rest(old, new))
    return {name: value for name, value in found.items() if value != old[name]}


def _fills(old: Values, new: Values) -> Iterator[tuple[str, Any]]:
    """These four belong together: with a larger quantity the old value and price are not true any more."""
    before, after = old["filled_quantity"], new["filled_quantity"]
    if after > before:
        yield from ((name, new[name]) for name in FILLS)
    elif after == before:
        yield from _told(old, new, FILLS)


def _rest(old: Values, new: Values) -> Iterator[tuple[str, Any]]:
    return _told(old, new, [name for name in new if name not in FILLS])


def _told(old: Values, new: Values, names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    newer = _standing(new) >= _standing(old)
    for name in names:
        if _is_known(new[name]) and (newer or not _is_known(old[name])):
            yield name, new[name]


def _standing(values: Values) -> tuple[bool, datetime, int]:
    status: str = values["status"]
    rank = OPENING.index(status) if status in OPENING else len(OPENING)
    return is_terminal(status), values["updated_at"], rank


def _is_known(value: Any) -> bool:
    return value not in (None, "", [])
