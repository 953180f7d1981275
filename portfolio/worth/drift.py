"""Does an account hold what its trades explain? What is told is a change of the difference that lasts (pure).

The difference itself proves nothing: what was held before the desk looked, and every transfer of the past, is in
it. A change of it is a deposit, a withdrawal, a reward, interest, or an execution that we have not read. A
balance may be up to 5 s old, and an execution may be listed after the balance that shows it (dossier 5.6):
neither may look like a transfer.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

ZERO = Decimal(0)
SECOND_NS = 1_000_000_000
LAG_NS = 10 * SECOND_NS  # a balance that is read later than this after a trade shows it
DOUBT_NS = SECOND_NS  # of the exchange's clock, as measured
LASTING_NS = 60 * SECOND_NS
LEARNING_NS = 180 * SECOND_NS  # what the first balance did not show yet was there before
LEAST_USD = Decimal(1)
DUST = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One coin, compared since `since_ns` of the exchange's time.

    `traded` is what executions brought since then, the newest at `traded_ns`; `known` the difference of balance
    and trades that is old news. `seen` is another one, and `seen_ns` when it was first read. `before` is what was
    known before the change that was told last, first read at `told_ns`.
    """

    since_ns: int
    traded: Decimal = ZERO
    traded_ns: int = 0
    known: Decimal = ZERO
    seen: Decimal | None = None
    seen_ns: int | None = None
    before: Decimal | None = None
    told_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A balance, read between two moments of the exchange's time; a price of None is not known."""

    quantity: Decimal
    price_usd: Decimal | None
    from_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """`change` came in without a trade, or left when negative; first read at `since_ns`.

    With `is_back` it undid what was told of that moment.
    """

    change: Decimal
    since_ns: int
    is_back: bool = False


def counted(drift: Drift, *, at_ns: int, quantity: Decimal) -> Drift:
    """After an execution came to light. One from before a difference was read may be all that this was."""
    more = replace(drift, traded=drift.traded + quantity, traded_ns=max(drift.traded_ns, at_ns))
    is_late = drift.seen_ns is not None and at_ns <= drift.seen_ns + DOUBT_NS
    return _unseen(more) if is_late else more


def learnt_again(drift: Drift, *, at_ns: int) -> Drift:
    """After something that moves the coin by an amount which we do not know."""
    return _unseen(replace(drift, since_ns=max(drift.since_ns, at_ns)))


def compared(drift: Drift, look: Look) -> tuple[Drift, News | None]:
    """What a complete and settled read shows. One right after a trade shows nothing."""
    if drift.traded_ns > look.from_ns - LAG_NS:
        return drift, None
    now = look.quantity - drift.traded
    if not matters(now - drift.known, look.price_usd):
        return _unseen(drift), None
    if drift.seen is None or drift.seen_ns is None or matters(now - drift.seen, look.price_usd):
        return replace(drift, seen=now, seen_ns=look.until_ns), None
    if look.until_ns - drift.seen_ns < LASTING_NS:
        return drift, None
    return _believed(drift, drift.seen, drift.seen_ns, look.price_usd)


def matters(change: Decimal, price_usd: Decimal | None) -> bool:
    """Whether it is worth a dollar; without a price, whether it is more than a rounding."""
    return abs(change) > DUST if price_usd is None else abs(change) * price_usd >= LEAST_USD


def _believed(
    drift: Drift, seen: Decimal, seen_ns: int, price_usd: Decimal | None
) -> tuple[Drift, News | None]:
    """What was seen first: an execution that is part of it would have come to light by now, and taken it back."""
    if seen_ns - drift.since_ns < LEARNING_NS:
        return _unseen(replace(drift, known=seen)), None
    change = seen - drift.known
    if drift.before is not None and drift.told_ns is not None and not matters(seen - drift.before, price_usd):
        back = replace(drift, known=drift.before, before=None, told_ns=None)
        return _unseen(back), News(change=change, since_ns=drift.told_ns, is_back=True)
    told = replace(drift, known=seen, before=drift.known, told_ns=seen_ns)
    return _unseen(told), News(change=change, since_ns=seen_ns)


def _unseen(drift: Drift) -> Drift:
    return drift if drift.seen_ns is None else replace(drift, seen=None, seen_ns=None)
