"""Which fields of a new report about an order are changes, so that a stale answer never moves it back (pure)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from exchange.schemas import is_terminal

Values = Mapping[str, Any]

FILL_FIELDS = ("filled_quantity", "filled_value", "average_price", "cumulative_fee")
OPEN_STAGES = {
    "PENDING": 0,
    "NEW": 0,
    "ACTIVE": 1,
}  # a trigger waits as either, one after the other (dossier D20)
UNKNOWN_STAGE = 2


def changed_fields(old: Values, new: Values) -> dict[str, Any]:
    """The fields of `old` that `new` changes.

    Executed quantity never falls, a finished order never opens again, and what a report leaves out (dossier
    5.16: rows differ by method) stays as it was. An older report only fills in what was not known at all.
    """
    if all(old[name] == value for name, value in new.items()):
        return {}  # as most reports of most cycles
    found = dict(_fills(old, new)) | dict(_other_changes(old, new))
    return {name: value for name, value in found.items() if value != old[name]}


def contradicts(old: Values, new: Values) -> bool:
    """Whether `new` denies that the order ended as recorded, or that it executed as much.

    Most often `new` is only older. But what was recorded may have been untrue, and then it is never repeated.
    """
    denies_end: bool = is_terminal(old["status"]) and new["status"] != old["status"]
    denies_fill: bool = new["filled_quantity"] < old["filled_quantity"]
    return denies_end or denies_fill


def _fills(old: Values, new: Values) -> Iterator[tuple[str, Any]]:
    """These four belong together: with a larger quantity the old value and price are not true any more."""
    before, after = old["filled_quantity"], new["filled_quantity"]
    if after > before:
        yield from ((name, new[name]) for name in FILL_FIELDS)
    elif after == before:
        yield from _known_changes(old, new, FILL_FIELDS)


def _other_changes(old: Values, new: Values) -> Iterator[tuple[str, Any]]:
    """A trigger-limit that was amended to a trigger-market has no price any more (dossier 5.22)."""
    is_same_kind = old.get("order_type") == new.get("order_type")
    excluded = FILL_FIELDS if is_same_kind else (*FILL_FIELDS, "price")
    yield from _known_changes(old, new, [name for name in new if name not in excluded])
    if not is_same_kind and _is_newer(old, new):
        yield "price", new["price"]


def _known_changes(old: Values, new: Values, names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    newer = _is_newer(old, new)
    for name in names:
        if _is_known(new[name]) and (newer or not _is_known(old[name])):
            yield name, new[name]


def _is_newer(old: Values, new: Values) -> bool:
    """By time, and within a moment by stage of life; with an unknown status, the one reported last.

    A later stage counts even when it is dated earlier: the exchange's clocks differ (dossier 5.16).
    """
    (had_ended, before, stage), (has_ended, at, new_stage) = _progress(old), _progress(new)
    if had_ended != has_ended:
        return has_ended
    if at == before:
        return new_stage >= stage or UNKNOWN_STAGE in (stage, new_stage)
    return at > before or stage < new_stage < UNKNOWN_STAGE


def _progress(values: Values) -> tuple[bool, datetime, int]:
    status: str = values["status"]
    return is_terminal(status), values["updated_at"], OPEN_STAGES.get(status, UNKNOWN_STAGE)


def _is_known(value: Any) -> bool:
    return value not in (None, "", [])
