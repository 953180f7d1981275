"""What has been without a stop for too long, told so that it can be judged: how much, worth what, since when, why.

So has what was sold and is to be bought back while nothing does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oco.engine.pricing import Way
from oco.models import OcoGroup
from oco.presentation.reasons import said
from oco.selectors import Lack, lacks_read
from portfolio.accounting.perpetual_rows import perpetual_reason, perpetuals_open
from portfolio.models import Perpetual
from portfolio.selectors import usd_prices
from portfolio.signals.watchlist import prices_fresh, quotes_of
from portfolio.templatetags.money import amount_text
from portfolio.templatetags.words import instrument

BESIDE = "The rest has one. This part is behind another order, or was not there when the orders were placed."
TITLES = {
    Way.SELLS: gettext_lazy("%(name)s: %(quantity)s without a stop"),
    Way.BUYS: gettext_lazy("%(name)s: nothing buys %(quantity)s back"),
}
TEXTS = {
    Way.SELLS: gettext_lazy("%(quantity)s, worth %(value)s, without a stop since %(since)s. %(reason)s"),
    Way.BUYS: gettext_lazy(
        "%(quantity)s that were sold, worth %(value)s, are bought back by no order since %(since)s. %(reason)s"
    ),
}


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
    way: Way = Way.SELLS

    @property
    def title(self) -> str:
        return str(TITLES[self.way]) % {
            "name": instrument(self.instrument_name),
            "quantity": amount_text(self.quantity),
        }

    @property
    def text(self) -> str:
        return str(TEXTS[self.way]) % {
            "quantity": amount_text(self.quantity),
            "value": _("an unknown amount") if self.value_usd is None else f"${self.value_usd:,.2f}",
            "since": f"{timezone.localtime(self.since):%Y-%m-%d %H:%M:%S %Z}",
            "reason": said(self.reason),
        }


def naked_now(*, now: datetime, longer_than: timedelta) -> Iterator[Naked]:
    """Groups and derivative positions alike (invariant *No silent nakedness*)."""
    lacks = lacks_read(now=now, longer_than=longer_than)
    prices = _prices_usd([lack.group for lack in lacks], now) if lacks else {}
    yield from (_lack(lack, prices.get(lack.group.pk)) for lack in lacks)
    yield from (_perpetual(row) for row in perpetuals_open().filter(since__lt=now - longer_than))


def _prices_usd(groups: Sequence[OcoGroup], now: datetime) -> dict[UUID, Decimal]:
    """By group. Of a coin that is sold out no price stands beside the balance: then the last one of its pair."""
    usd = usd_prices()
    found = {group.pk: usd[group.lot.base_ccy] for group in groups if group.lot.base_ccy in usd}
    rest = [group for group in groups if group.pk not in found and group.lot.quote_ccy in usd]
    last = prices_fresh(quotes_of({group.instrument_name for group in rest}).values(), at=now) if rest else {}
    sold_out = [group for group in rest if group.instrument_name in last]
    return found | {group.pk: last[group.instrument_name] * usd[group.lot.quote_ccy] for group in sold_out}


def _lack(lack: Lack, price: Decimal | None) -> Naked:
    group, what = lack.group, "part" if lack.is_part else "naked"
    return Naked(
        occasion=f"{what} {group.pk} {lack.since:%Y-%m-%dT%H:%M:%S}",
        instrument_name=group.instrument_name,
        quantity=lack.quantity,
        value_usd=None if price is None else lack.quantity * price,
        since=lack.since,
        reason=BESIDE if lack.is_part else group.reason,
        group_id=group.pk,
        way=group.lot.way,
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
