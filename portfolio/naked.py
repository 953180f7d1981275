"""What has been without a stop for too long, told so that it can be judged: how much, worth what, since when, why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from oco.models import OcoGroup
from oco.said import said
from oco.selectors import groups_naked
from portfolio.models import Balance, Perpetual
from portfolio.perpetuals import perpetual_reason, perpetuals_open
from portfolio.templatetags.money import amount_text
from portfolio.templatetags.words import instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Naked:
    """One of them. `occasion` is the same as long as it lasts; `value_usd` None is not known."""

    occasion: str
    instrument_name: str
    quantity: Decimal
    value_usd: Decimal | None
    since: datetime
    reason: str
    group_id: UUID | None = None

    @property
    def title(self) -> str:
        return _("%(name)s: %(quantity)s without a stop") % {
            "name": instrument(self.instrument_name),
            "quantity": amount_text(self.quantity),
        }

    @property
    def text(self) -> str:
        return _("%(quantity)s, worth %(value)s, without a stop since %(since)s. %(reason)s") % {
            "quantity": amount_text(self.quantity),
            "value": _("an unknown amount") if self.value_usd is None else f"${self.value_usd:,.2f}",
            "since": f"{timezone.localtime(self.since):%Y-%m-%d %H:%M:%S %Z}",
            "reason": said(self.reason),
        }


def naked_now(*, now: datetime, longer_than: timedelta) -> Iterator[Naked]:
    """Groups and derivative positions alike (invariant *No silent nakedness*)."""
    groups = groups_naked(now=now, longer_than=longer_than)
    prices = dict(Balance.objects.values_list("currency", "price_usd")) if groups else {}
    yield from (_group(group, prices.get(group.lot.base_ccy)) for group in groups)
    yield from (_perpetual(row) for row in perpetuals_open().filter(since__lt=now - longer_than))


def _group(group: OcoGroup, price: Decimal | None) -> Naked:
    since = group.uncovered_since or group.state_since
    return Naked(
        occasion=f"naked {group.pk} {since:%Y-%m-%dT%H:%M:%S}",
        instrument_name=group.instrument_name,
        quantity=group.lot.owned,
        value_usd=None if price is None else group.lot.owned * price,
        since=since,
        reason=group.reason,
        group_id=group.pk,
    )


def _perpetual(row: Perpetual) -> Naked:
    return Naked(
        occasion=f"perpetual {row.pk} {row.since:%Y-%m-%dT%H:%M:%S}",
        instrument_name=row.instrument_name,
        quantity=row.quantity,
        value_usd=row.market_value_usd,
        since=row.since,
        reason=perpetual_reason(),
    )
