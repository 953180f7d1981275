"""From rows to what `decide` takes: one query per table, however many groups there are."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db.models import F, Q

from exchange.models import Instrument
from oco.engine.pricing import Grid
from oco.engine.states import State
from oco.engine.types import Desired, Market, Observed
from oco.models.group import OcoGroup
from oco.models.leg import OcoLeg
from oco.policies import Policies, policies_read
from oco.reconcile.allocation import Due, shares_read
from oco.reconcile.order_matching import leg_value
from oco.reconcile.prices import grid_of
from oco.reconcile.watch import Watch

Status = OcoLeg.Status
DEAD = Q(status__in=(Status.REFUSED, Status.ABSENT), generation__lt=F("group__generation"))


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything about the groups at work, read at once."""

    groups: list[OcoGroup]
    legs: dict[object, list[OcoLeg]]
    due: Mapping[int, Due]
    grids: Mapping[str, Grid]
    policies: Policies
    no_create: str


def picture_read(*, watch: Watch, all_groups: bool = True) -> Picture:
    """The open groups, and ended ones behind which an order of ours is open again.

    Not `all_groups`: without those that are covered and for which nothing changed in this cycle.
    """
    at_work = Q(closed_at=None) | Q(pk__in=_groups_with_strays())
    if not all_groups:
        at_work &= ~Q(state=State.ACTIVE) | Q(pk__in=watch.touched)
    groups = list(OcoGroup.objects.filter(at_work).select_related("lot").order_by("created_at", "pk"))
    legs: dict[object, list[OcoLeg]] = defaultdict(list)
    for leg in OcoLeg.objects.filter(group__in=groups).exclude(DEAD):
        legs[leg.group_id].append(leg)
    names = {group.instrument_name for group in groups}
    instruments = Instrument.objects.filter(symbol__in=names)
    return Picture(
        groups=groups,
        legs=legs,
        due=shares_read(watch=watch),
        grids={row.symbol: grid_of(row, watch.facts.tickers) for row in instruments},
        policies=policies_read(),
        no_create=watch.no_create,
    )


def picture_renew(picture: Picture, group: OcoGroup) -> None:
    """The legs of one group and its lot again, after something was learned about them."""
    group.refresh_from_db(fields=["list_id", "failures", "cancel_requested_at", "cancel_requested_by"])
    group.lot.refresh_from_db()
    legs = OcoLeg.objects.filter(group=group).exclude(DEAD)
    picture.legs[group.pk] = list(legs)


def _groups_with_strays() -> list[object]:
    legs = OcoLeg.objects.filter(status__in=(Status.OPEN, Status.ACCEPTED, Status.INTENT, Status.SENT))
    return list(legs.exclude(group__closed_at=None).values_list("group_id", flat=True))


def desired_of(group: OcoGroup, picture: Picture) -> Desired:
    """What the lot is owed, from its prices and the policy of today."""
    lot = group.lot
    policy = picture.policies.of(group.instrument_name, lot.side)
    due = picture.due.get(lot.pk) or Due(lot.owned, is_short=False, is_settled=False)
    return Desired(
        way=lot.way,
        owned=lot.owned,
        cover=min(due.allowed, lot.owned),  # a look in this cycle may have found more sold since
        is_whole=lot.owned == lot.bought,
        is_short=due.is_short,
        is_settled=due.is_settled,
        stop=group.stop_price,
        target=group.take_profit_price,
        grid=picture.grids[group.instrument_name],
        distance_pct=policy.distance_pct,
        exits=policy.on_breach == policy.OnBreach.EXIT,
        respects_hand=policy.on_hand_cancel == policy.OnHandCancel.RESPECT,
        leave=_why_leave(group),
        entered_at=lot.entered_at,
    )


def _why_leave(group: OcoGroup) -> str:
    if group.cancel_requested_at is not None:
        return f"Released by {group.cancel_requested_by}."
    return "Merged with the other lots of its entry." if group.lot.merging else ""


def observed_of(group: OcoGroup, picture: Picture, watch: Watch) -> Observed:
    """What is known of the group now; its legs as their records prove them."""
    legs = [
        leg_value(leg, started=watch.started, seen=watch.seen, lists_read=watch.lists_read)
        for leg in picture.legs.get(group.pk, [])
    ]
    return Observed(
        now=watch.now(),
        cycle_started=watch.started,
        state=State(group.state),
        legs=tuple(legs),
        generation=group.generation,
        failures=group.failures,
        last_active_at=group.last_active_at,
        grace_at=group.grace_at,
        can_add=watch.facts.can_add and watch.lists_read,
        can_remove=watch.facts.can_remove and watch.lists_read,
        no_create=picture.no_create,
        begun=group.lot.first_generation > 0 and not legs,
        market=_market(group, watch),
    )


def _market(group: OcoGroup, watch: Watch) -> Market:
    """The looks are the instrument's, the worst mark is the group's own."""
    market, own = watch.markets.get(group.instrument_name, Market()), watch.worst.get(group.pk)
    if own is None:
        return market
    return replace(market, worst=own.worst, worst_asked=True)
