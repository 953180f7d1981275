"""Unexplained balance changes: does an account hold what its fills explain? (pure)

The difference of balance and fills proves nothing by itself: it contains what was held before the first reading,
and every earlier transfer. A lasting change of the difference is a deposit, a withdrawal, a reward, interest, or
a fill that was not fetched. A balance may be up to 5 s old, and a fill may be listed after the balance that shows
it (dossier 5.6): neither may be reported as a transfer.
"""

from dataclasses import dataclass
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

ZERO = Decimal(0)
SECOND_NS = 1_000_000_000
SETTLE_LAG_NS = 10 * SECOND_NS  # a balance read later than this after a fill includes it
CLOCK_TOLERANCE_NS = SECOND_NS  # of the exchange's clock, as measured
CONFIRM_AFTER_NS = 60 * SECOND_NS
START_MARGIN_NS = 120 * SECOND_NS  # around the first reading: its balance may or may not include a fill
MIN_CHANGE_USD = Decimal(1)
DUST = Decimal("0.00000001")


class Drift(Struct, frozen=True, kw_only=True):
    """The difference of one coin since the first reading.

    `traded` is the sum of the fills since then, the newest at `traded_ns`. `known` is the accepted difference of
    balance and fills, None while it is being established. `seen` is another difference, first read at `seen_ns`.
    `before` was the accepted difference before the last reported change, which was first read at `told_ns`.
    """

    traded: Decimal = ZERO
    traded_ns: int = 0
    known: Decimal | None = ZERO
    seen: Decimal | None = None
    seen_ns: int | None = None
    before: Decimal | None = None
    told_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceReading:
    """A balance read between two moments of exchange time; `price_usd` is None when unknown."""

    quantity: Decimal
    price_usd: Decimal | None
    from_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftChange:
    """`change` is positive when coins came in without a fill, negative when they left; first read at `since_ns`.

    With `is_back` it reverts the change reported for that moment.
    """

    change: Decimal
    since_ns: int
    is_back: bool = False


def initial_drift(reading: BalanceReading, *, traded_ns: int) -> Drift:
    """Accepts the first reading as known, unless the coin was just traded."""
    return Drift(known=None if traded_ns > reading.from_ns - SETTLE_LAG_NS else reading.quantity)


def add_execution(drift: Drift, *, at_ns: int, quantity: Decimal, since_ns: int) -> Drift:
    """Add a fill that was just fetched. One from before the first reading, at `since_ns`, is in its balance already.

    A fill from before a difference was read may explain that difference, so the difference is dropped.
    """
    if at_ns <= since_ns:
        return reset_baseline(drift) if at_ns > since_ns - START_MARGIN_NS else drift
    more = replace(drift, traded=drift.traded + quantity, traded_ns=max(drift.traded_ns, at_ns))
    is_late = drift.seen_ns is not None and at_ns <= drift.seen_ns + CLOCK_TOLERANCE_NS
    return _clear_pending(more) if is_late else more


def reset_baseline(drift: Drift) -> Drift:
    """After something moved the coin by an unknown amount."""
    return _clear_pending(replace(drift, known=None, before=None, told_ns=None))


def compare_reading(drift: Drift, reading: BalanceReading) -> tuple[Drift, DriftChange | None]:
    """Compare a complete, settled reading; one right after a fill is ignored."""
    if drift.traded_ns > reading.from_ns - SETTLE_LAG_NS:
        return drift, None
    now, price = reading.quantity - drift.traded, reading.price_usd
    if drift.known is not None and not is_significant(now - drift.known, price):
        return _clear_pending(drift), None
    if drift.seen is None or drift.seen_ns is None or is_significant(now - drift.seen, price):
        return replace(drift, seen=now, seen_ns=reading.until_ns), None
    if reading.until_ns - drift.seen_ns < CONFIRM_AFTER_NS:
        return drift, None
    return _confirmed(drift, drift.seen, drift.seen_ns, price)


def is_significant(change: Decimal, price_usd: Decimal | None) -> bool:
    """Whether the change is worth a dollar; without a price, whether it is more than rounding."""
    return abs(change) > DUST if price_usd is None else abs(change) * price_usd >= MIN_CHANGE_USD


def _confirmed(
    drift: Drift, seen: Decimal, seen_ns: int, price_usd: Decimal | None
) -> tuple[Drift, DriftChange | None]:
    # A fill that explains what was seen would have been fetched by now and have removed it.
    if drift.known is None:
        return _clear_pending(replace(drift, known=seen)), None
    change = seen - drift.known
    if (
        drift.before is not None
        and drift.told_ns is not None
        and not is_significant(seen - drift.before, price_usd)
    ):
        reverted = replace(drift, known=drift.before, before=None, told_ns=None)
        return _clear_pending(reverted), DriftChange(change=change, since_ns=drift.told_ns, is_back=True)
    reported = replace(drift, known=seen, before=drift.known, told_ns=seen_ns)
    return _clear_pending(reported), DriftChange(change=change, since_ns=seen_ns)


def _clear_pending(drift: Drift) -> Drift:
    return drift if drift.seen_ns is None else replace(drift, seen=None, seen_ns=None)
