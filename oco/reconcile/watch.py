"""One cycle of protection at work: who asks, under which lease, what was read, and what time it is there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from exchange.client.client import Client
from exchange.models import AccountBinding
from exchange.schemas import Order
from exchange.services.lease import Held
from exchange.services.order_execution import why_no_create
from exchange.sync.fetch import Key, Mark
from oco.engine.types import Market
from oco.reconcile.facts import Facts


@dataclass(slots=True)
class Watch:
    """`seen` are the orders seen open since the cycle began, `told` what was last written down of them;
    `lists_read` falls when a later list fails. `touched` are the groups for which anything changed.

    All moments are the exchange's: its orders and trades carry that clock, and ours may be a minute off.
    """

    client: Client
    held: Held
    facts: Facts
    clock: Callable[[], datetime]
    offset: timedelta
    started: datetime
    account: str
    seen: set[Key]
    told: dict[Key, Order]
    lists_read: bool
    marks: dict[str, Mark] = field(default_factory=dict)
    markets: dict[str, Market] = field(default_factory=dict)
    worst: dict[UUID, Market] = field(default_factory=dict)
    touched: set[UUID] = field(default_factory=set)
    failed: set[UUID] = field(default_factory=set)
    sold: set[str] = field(default_factory=set)  # currencies of which our own orders took something
    sent: bool = False
    created: int = 0
    closed: int = 0
    errors: list[str] = field(default_factory=list)

    def now(self) -> datetime:
        return self.clock() + self.offset

    @property
    def no_create(self) -> str:
        """Asked anew each time: the switch binds at once (rule 13)."""
        return why_no_create()


def watch_begin(*, client: Client, held: Held, facts: Facts, clock: Callable[[], datetime]) -> Watch:
    offset = timedelta(milliseconds=client.clock_offset_ms or 0)
    return Watch(
        client=client,
        held=held,
        facts=facts,
        clock=clock,
        offset=offset,
        started=facts.started_at + offset,
        account=AccountBinding.objects.values_list("account_uuid", flat=True).first() or "",
        seen=set(facts.open_keys),
        told=dict(facts.told),
        marks=dict(facts.marks),
        lists_read=facts.lists_read,
    )
