"""Reading one group for its page: its orders, its journal, its executions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Q

from exchange.models import Instrument, Trade
from oco.engine.allocation import Committed
from oco.engine.pricing import Way
from oco.engine.states import State
from oco.models.event import OcoEvent
from oco.models.group import OcoGroup
from oco.models.leg import OcoLeg
from oco.models.lot import LotTrade
from oco.presentation.story import Story, Told, ToldLeg
from oco.presentation.words import code_words
from oco.reconcile.allocation import foreign_read
from oco.selectors import group_events

EVENTS_SHOWN = 200
FILLS_SHOWN = 200


def group_story(*, group_id: UUID) -> Story:
    """Five queries, and three more where its orders are for less than it owns. Raises OcoGroup.DoesNotExist."""
    group = OcoGroup.objects.select_related("lot").get(pk=group_id)
    legs = list(OcoLeg.objects.filter(group=group))
    events = group_events(group_id).order_by("-at", "-id")[:EVENTS_SHOWN]
    return Story(
        group=group,
        instrument=Instrument.objects.filter(symbol=group.instrument_name).first(),
        legs=tuple(ToldLeg(leg) for leg in legs if leg.generation == group.generation),
        earlier=tuple(ToldLeg(leg) for leg in reversed(legs) if leg.generation != group.generation),
        events=tuple(told(event) for event in events),
        trades=tuple(fills_of(group, legs)[-FILLS_SHOWN:]),
        others=foreign_read().get(group.lot.base_ccy, Committed()).covered
        if _is_partly(group)
        else Decimal(0),
    )


def groups_told(groups: Sequence[OcoGroup], *, instruments: Mapping[str, Instrument]) -> dict[UUID, Story]:
    """Each with its orders alone, which is enough for its name and its prices.

    One query for all legs, and two more where one of them is for less than it owns.
    """
    legs: dict[UUID, list[ToldLeg]] = defaultdict(list)
    for leg in OcoLeg.objects.filter(group__in=groups, generation=F("group__generation")):
        legs[leg.group_id].append(ToldLeg(leg))
    foreign = foreign_read() if any(map(_is_partly, groups)) else {}
    return {
        group.pk: Story(
            group=group,
            instrument=instruments.get(group.instrument_name),
            legs=tuple(legs[group.pk]),
            earlier=(),
            events=(),
            trades=(),
            others=foreign.get(group.lot.base_ccy, Committed()).covered if _is_partly(group) else Decimal(0),
        )
        for group in groups
    }


def _is_partly(group: OcoGroup) -> bool:
    """Whether stops of others may stand in for ours; they buy nothing back."""
    lot = group.lot
    return bool(lot.way is Way.SELLS and group.state == State.ACTIVE and group.quantity < lot.owned)


def told(event: OcoEvent) -> Told:
    """How a line of the journal looks: good where cover was seen, bad where it failed or is unknown.

    A code that its reason has told already is not told twice.
    """
    moved = event.old != event.new
    code = None if f"[{event.code}]" in event.reason else event.code
    bad = event.code is not None or (moved and event.new in (State.STOP_FAILED, State.UNKNOWN))
    good = moved and event.new == State.ACTIVE
    return Told(
        event=event,
        look="bad" if bad else "good" if good else "",
        code=code_words(code),
    )


def fills_of(group: OcoGroup, legs: Sequence[OcoLeg]) -> list[Trade]:
    """The trades of its lot and those of its orders, under either id (dossier 6.2), oldest first.

    Sorted here: asked to sort, a database might walk all trades in the order of their time.
    """
    ids = {id for leg in legs for id in (leg.order_id, leg.exchange_order_id) if id}
    bought = LotTrade.objects.filter(lot_id=group.lot_id).values("trade_id")
    found = Trade.objects.filter(Q(order_id__in=ids) | Q(trade_id__in=bought)).order_by()
    return sorted(found, key=lambda trade: (trade.create_time_ns, trade.pk))
