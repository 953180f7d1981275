"""The exchange's milliseconds and nanoseconds as times (pure).

Cuts a sequence into pieces (pure).

Makes what the exchange says fit the columns that keep it: an odd text or code must not stop every cycle.

SQLite would take anything; PostgreSQL refuses the whole chunk.

What part an order plays, told from its shape alone (pure).

The lengths of bars that the desk keeps (pure).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from django.db import models

NS_PER_MS = 1_000_000
MS_PER_DAY = 86_400_000
NS_PER_DAY = MS_PER_DAY * NS_PER_MS
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_ms(ms: int) -> datetime:
    """`ms` since the epoch as an aware time, exact to the millisecond."""
    return EPOCH + timedelta(milliseconds=ms)


def to_ms(moment: datetime) -> int:
    """An aware time as whole milliseconds since the epoch."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


T = TypeVar("T")

ROWS = 500  # rows a transaction: longer ones keep the pages of a SQLite desk waiting
ASKED = 5000  # ids a query: far below the parameters that SQLite and PostgreSQL take


def chunks(rows: Sequence[T], size: int = ROWS) -> Iterator[Sequence[T]]:
    """Pieces of `rows`, each of at most `size`, in order."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


SMALL = 2**31


def fitting(model: type[models.Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with texts cut to their columns and without NUL; a number beyond its column is not known."""
    lengths, numbers = _limits(model)
    return {name: _fit(value, lengths.get(name), name in numbers) for name, value in values.items()}


@cache
def _limits(model: type[models.Model]) -> tuple[dict[str, int], frozenset[str]]:
    """How long each text may be, and which columns are small whole numbers."""
    columns = model._meta.concrete_fields
    lengths = {column.name: column.max_length for column in columns if column.max_length is not None}
    return lengths, frozenset(c.name for c in columns if c.get_internal_type() == "IntegerField")


def _fit(value: Any, length: int | None, is_small: bool) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")[:length]
    if is_small and value is not None and not -SMALL <= value < SMALL:
        return None
    return value


STOPS = ("STOP_LOSS", "STOP_LIMIT")
TARGETS = ("TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


def role_of(*, order_type: str, side: str, instrument_name: str, in_pair: bool, cash: Collection[str]) -> str:
    """ENTRY, EXIT, STOP_LOSS, TAKE_PROFIT, or nothing where cash is only changed for other cash.

    `in_pair` is true for a leg of an OCO list, whose LIMIT leg is the target (dossier 5.23).
    """
    if order_type in STOPS:
        return "STOP_LOSS"
    if order_type in TARGETS or (in_pair and side == "SELL"):
        return "TAKE_PROFIT"
    if base_of(instrument_name) in cash:
        return ""
    return "ENTRY" if side == "BUY" else "EXIT"


def base_of(instrument_name: str) -> str:
    """`BTC` of `BTC_USD`, `SHIB` of `SHIB_BTC@OEX_HK`; a derivative's name is its own."""
    return instrument_name.split("_", 1)[0]


def is_derivative(instrument_name: str) -> bool:
    """`BTCUSD-PERP` is one: the name of every spot pair joins two currencies by an underscore."""
    return "_" not in instrument_name


class Timeframe(StrEnum):
    """By its name on the wire (dossier 5.3). Every one begins at a multiple of its length since the epoch."""

    M15 = "15m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1D"

    @property
    def length(self) -> timedelta:
        return LENGTHS[self]

    def begun(self, moment: datetime) -> datetime:
        """When the bar that `moment` lies in began."""
        return moment - (moment - EPOCH) % self.length


LENGTHS = {
    Timeframe.M15: timedelta(minutes=15),
    Timeframe.H1: timedelta(hours=1),
    Timeframe.H4: timedelta(hours=4),
    Timeframe.D1: timedelta(days=1),
}
