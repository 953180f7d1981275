"""What has had no stop for too long (invariant *No silent nakedness*): whole lots, and parts that no order is for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q

from exchange.models import Instrument
from oco.engine.pricing import Way, whole_lots
from oco.engine.states import State
from oco.group import OcoGroup
from oco.reconcile.allocation import foreign_read
from oco.selectors import groups_open

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """So many coins of `group` have had no stop since a moment, or nothing buys them back."""

    group: OcoGroup
    quantity: Decimal
    since: datetime

    @property
    def is_part(self) -> bool:
        return self.group.state == State.ACTIVE


def lacks_read(*, now: datetime, longer_than: timedelta) -> list[Lack]:
    """Of the open groups, the oldest first.

    Coins behind a foreign stop are covered, once (rule 2): a lack that is so as a whole is none.
    """
    moment = now - longer_than
    late = Q(uncovered_since__lt=moment) | Q(state=State.ACTIVE, lot__short_since__lt=moment)
    groups = list(groups_open().filter(late).select_related("lot").order_by("created_at", "pk"))
    found = [lack for lack in _lacks(groups, _ticks(groups)) if lack.quantity]
    covered = {currency: one.covered for currency, one in foreign_read().items()} if found else {}
    return [lack for lack in found if not _takes_cover(lack, covered)]


def _ticks(groups: Sequence[OcoGroup]) -> dict[str, Decimal]:
    names = {group.instrument_name for group in groups if group.state == State.ACTIVE}
    rows = Instrument.objects.filter(symbol__in=names) if names else Instrument.objects.none()
    return dict(rows.values_list("symbol", "qty_tick_size"))


def _lacks(groups: Sequence[OcoGroup], ticks: Mapping[str, Decimal]) -> list[Lack]:
    found = []
    for group in groups:
        lot, tick = group.lot, ticks.get(group.instrument_name)
        if group.state != State.ACTIVE:
            since = group.uncovered_since or group.state_since
            found.append(Lack(group=group, quantity=lot.owned, since=since))
        elif tick is not None and lot.short_since is not None:
            rest = max(whole_lots(lot.owned, tick) - group.quantity, ZERO)
            found.append(Lack(group=group, quantity=rest, since=max(lot.short_since, group.state_since)))
    return found


def _takes_cover(lack: Lack, covered: dict[str, Decimal]) -> bool:
    """Whether what is left of `covered` is enough for all of it, which then uses it up."""
    lot = lack.group.lot
    left = covered.get(lot.base_ccy, ZERO)
    if lot.way is Way.BUYS or lack.quantity > left:
        return False
    covered[lot.base_ccy] = left - lack.quantity
    return True
