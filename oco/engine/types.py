"""What `decide` looks at and what it answers: plain values, compared and printed as they are (pure)."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from exchange.core.reasons import Reason
from oco.engine.pricing import ExitSide, Grid
from oco.engine.states import State

ZERO = Decimal(0)


class Role(StrEnum):
    """What a leg is for; the words are those of `ExchangeOrder.order_role`."""

    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"
    EXIT = "EXIT"


class LegStatus(StrEnum):
    """What is known of a leg. Accepted is not open, unknown is neither, absent is not ended."""

    UNKNOWN = "UNKNOWN"  # sent, or about to be; or open once and found nowhere
    ACCEPTED = "ACCEPTED"  # the exchange said yes; not read back yet
    OPEN = "OPEN"
    ENDED = "ENDED"  # by the exchange's own record
    REFUSED = "REFUSED"
    ABSENT = "ABSENT"  # proved by two looks (rule 6), or never sent


LIVE = frozenset({LegStatus.ACCEPTED, LegStatus.OPEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One order of ours. `quantity` is what it was placed for."""

    client_oid: str
    role: Role
    generation: int
    status: LegStatus
    quantity: Decimal
    price: Decimal = ZERO  # limit or trigger
    executed: Decimal = ZERO
    end_status: str = ""  # FILLED, CANCELED, EXPIRED, REJECTED
    end_code: int = 0  # the exchange's reason; 0 for a cancel by hand (dossier 6.3)
    refused_code: int | None = None
    refused_text: str = ""
    cancelled_by_us: bool = False
    is_unresolved: bool = False  # absent, though the exchange had acknowledged it within the last hour
    is_fresh: bool = True  # read in this cycle
    sent_this_cycle: bool = False  # in this cycle
    cancel_sent_this_cycle: bool = False
    looked_up_this_cycle: bool = False

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.executed

    @property
    def was_rejected(self) -> bool:
        """Refused, rejected, or never sent: not to be repeated within the cycle (rule 7)."""
        return self.status in (LegStatus.REFUSED, LegStatus.ABSENT) or self.end_status == "REJECTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSample:
    """The market once. `mark` as fresh as can be had, `published` the exchange's own last mark (dossier 5.5)."""

    at: datetime
    mark: Decimal
    published: Decimal
    bid: Decimal | None
    ask: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """The looks of this cycle, oldest first, and the mark that came nearest to the stop, or went farthest beyond
    it, since a moment; None when that is not known.
    """

    samples: tuple[PriceSample, ...] = ()
    worst_mark: Decimal | None = None
    worst_mark_read: bool = False
    is_unavailable: bool = False  # asked, and no answer could be had


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What the lot is owed. `cover` is what its orders may be for now, of what it owns or has to buy back."""

    exit_side: ExitSide = ExitSide.SELL

    owned: Decimal
    order_quantity: Decimal
    is_untouched: bool = False  # nothing of it was sold, and nothing left the account
    has_shortfall: bool = False  # the balance does not show all its coins, in one read so far (rule 10)
    is_confirmed: bool = True  # a smaller cover was seen in two reads at least 10 s apart
    stop: Decimal
    target: Decimal | None
    grid: Grid
    distance_pct: Decimal = Decimal("0.5")
    exits_on_breach: bool = True  # policy: sell when the market is beyond the stop
    respects_manual_cancel: bool = True  # policy: a pair cancelled by hand stays cancelled
    release_reason: Reason | None = None  # why the protection is to end; None when it is to stay
    entered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is known of the group and the world. `no_create` is why nothing may be placed, or None."""

    now: datetime
    cycle_started: datetime
    state: State
    legs: tuple[Leg, ...] = ()
    generation: int = 0  # the last one used, or where the lot begins to count
    failures: int = 0
    last_active_at: datetime | None = None
    grace_at: datetime | None = None
    can_add: bool = True
    can_remove: bool = True
    no_create: Reason | None = None
    replacement_begun: bool = False  # a replacement of ours that has no orders yet: merged lots (rule 13)
    market: Market = field(default_factory=Market)


class OrderKind(StrEnum):
    """What is placed."""

    PAIR = "PAIR"
    STOP = "STOP"
    EXIT = "EXIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`finishing`: our own cancel took cover away, so that the kill switch does not stop it (rule 13)."""

    kind: OrderKind
    quantity: Decimal
    generation: int
    stop: Decimal = ZERO
    target: Decimal | None = None
    max_buy_price: Decimal | None = None  # the most that is paid, where it buys
    bypass_kill_switch: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    client_oids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LookUp:
    client_oids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestPrice:
    """One look at the market; with `since`, the worst mark from then on as well."""

    since: datetime | None = None


Action = Place | Cancel | LookUp | RequestPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The state the group is in, why, and what to do next, in this order. No action: wait.

    Without a reason the group keeps the one that it has.
    """

    state: State
    reason: Reason | None
    actions: tuple[Action, ...] = ()
    grace: bool = False  # one more cycle was granted (rule 8)
