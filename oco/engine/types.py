"""Input and output of `decide`: plain values, comparable and printable, and the `client_oid` of our orders (pure)."""

import re
from base64 import b32encode
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from exchange.core.reasons import Param, Reason
from oco.engine.pricing import ExitSide, Grid
from oco.engine.states import State

ZERO = Decimal(0)
PREFIX = "xd"
PREFIX_END = PREFIX[:-1] + chr(ord(PREFIX[-1]) + 1)  # a range of strings uses an index, LIKE does not
DIGEST_BYTES = 20  # 32 letters, 34 with the prefix; the exchange accepts 36 (dossier 5.11)
OID_PATTERN = re.compile(PREFIX + "[a-z2-7]{32}")


class Role(StrEnum):
    """Purpose of a leg; the values are those of `ExchangeOrder.order_role`."""

    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"
    EXIT = "EXIT"


class LegStatus(StrEnum):
    """The known status of a leg. Accepted is not open, unknown is neither, absent is not ended."""

    UNKNOWN = "UNKNOWN"  # sent, or about to be; or open before and now not found
    ACCEPTED = "ACCEPTED"  # accepted by the exchange, not read back yet
    OPEN = "OPEN"
    ENDED = "ENDED"  # by the exchange's record
    REFUSED = "REFUSED"
    ABSENT = "ABSENT"  # proved by two lookups (rule 6), or never sent


LIVE = frozenset({LegStatus.ACCEPTED, LegStatus.OPEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One of our orders. `quantity` is the quantity it was placed for."""

    client_oid: str
    role: Role
    generation: int
    status: LegStatus
    quantity: Decimal
    price: Decimal = ZERO  # limit or trigger
    executed: Decimal = ZERO
    end_status: str = ""  # FILLED, CANCELED, EXPIRED, REJECTED
    end_code: int = 0  # the exchange's reason code; 0 for a manual cancel (dossier 6.3)
    refused_code: int | None = None
    refused_answer: Param = field(default="", hash=False)  # the exchange's words, or ours as data
    sent_at: datetime | None = None
    cancelled_by_us: bool = False
    is_unresolved: bool = False  # absent, though the exchange had acknowledged it within the last hour
    is_fresh: bool = True  # read in this cycle
    sent_this_cycle: bool = False  # and on the rules of the instrument as they are known now
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
    """One market reading. `mark` is as fresh as possible, `published` the exchange's last mark (dossier 5.5); None
    when it could not be read and `mark` comes from another source: enough to place a stop, not to sell at market.
    """

    at: datetime
    mark: Decimal
    published: Decimal | None
    bid: Decimal | None
    ask: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """The price samples of this cycle, oldest first, and the mark that came nearest to the stop, or went
    farthest past it, since a moment; None when unknown.
    """

    samples: tuple[PriceSample, ...] = ()
    worst_mark: Decimal | None = None
    worst_mark_read: bool = False
    is_unavailable: bool = False  # requested, but not available


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """The protection that the lot requires. `order_quantity` is the part of `owned` that its orders may cover now."""

    exit_side: ExitSide = ExitSide.SELL

    owned: Decimal
    order_quantity: Decimal
    is_untouched: bool = False  # nothing sold, and nothing left the account
    has_shortfall: bool = False  # balance shortfall, in one read so far (rule 10)
    is_confirmed: bool = True  # smaller coverage seen in two reads at least 10 s apart
    stop: Decimal
    target: Decimal | None
    grid: Grid
    distance_pct: Decimal = Decimal("0.5")
    exits_when_stop_crossed: bool = True  # policy: exit at market when the market is past the stop
    respects_manual_cancel: bool = True  # policy: a manually cancelled pair stays cancelled
    release_reason: Reason | None = None  # why the protection is to be removed; None to keep it
    is_merging: bool = False  # that reason is the merge of its lot with others
    entered_at: datetime | None = None
    entry: Decimal | None = None  # average price of the entry; None when a user requested the group


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The known state of the group and its surroundings. `no_create` is why nothing may be placed, or None."""

    now: datetime
    cycle_started: datetime
    state: State
    legs: tuple[Leg, ...] = ()
    generation: int = 0  # the last one used, or the first of the lot
    failures: int = 0
    last_active_at: datetime | None = None
    opened_at: datetime | None = None
    grace_at: datetime | None = None
    can_add: bool = True
    can_remove: bool = True
    no_create: Reason | None = None
    replacement_begun: bool = False  # our replacement has no orders yet: merged lots (rule 13)
    last_price: Decimal | None = None  # of the ticker of this cycle
    is_spent_lately: bool = False  # so much has just been sold or spent that the balance may not show it yet
    instrument_read: bool = False  # its rules were read again in this cycle
    is_entry_confirmed: bool | None = True  # by a second answer; None: not asked yet
    market: Market = field(default_factory=Market)


class OrderKind(StrEnum):
    PAIR = "PAIR"
    STOP = "STOP"
    EXIT = "EXIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`bypass_kill_switch`: our own cancel removed the coverage, so the kill switch does not block it (rule 13)."""

    kind: OrderKind
    quantity: Decimal
    generation: int
    stop: Decimal = ZERO
    target: Decimal | None = None
    max_buy_price: Decimal | None = None  # for buy orders
    bypass_kill_switch: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    client_oids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LookUp:
    client_oids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadInstrument:
    """Read the rules of the instrument again: the exchange refused an order for them."""


@dataclass(frozen=True, slots=True)
class ConfirmEntry:
    """Ask for a second answer about the purchase, or sale: what a market order does cannot be undone."""


@dataclass(frozen=True, slots=True)
class RequestPrice:
    """Take one price sample; with `since`, also the worst mark from then on."""

    since: datetime | None = None


Action = Place | Cancel | LookUp | ReadInstrument | ConfirmEntry | RequestPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The state of the group, the reason, and the next actions in order. No action: wait.

    Without a reason the group keeps its current one.
    """

    state: State
    reason: Reason | None
    actions: tuple[Action, ...] = ()
    grace: bool = False  # one more cycle was granted (rule 8)


# The `client_oid` of our orders: the same leg always gets the same one, in every process (rule 4)


def client_oid(*, account: str, entry_order_id: str, first_trade_id: str, generation: int, role: str) -> str:
    """The id of one leg. A second order with the same id is refused with 204, so it cannot be placed twice."""
    key = "/".join((account, entry_order_id, first_trade_id, str(generation), role))
    digest = sha256(key.encode()).digest()[:DIGEST_BYTES]
    return PREFIX + b32encode(digest).decode().lower()


def is_own_oid(text: str) -> bool:
    """Whether it has our format. The format alone does not make it our order."""
    return OID_PATTERN.fullmatch(text) is not None
