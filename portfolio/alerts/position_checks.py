"""What lasts about a position: without a stop for too long, no stop to be had, an order's fate not known.

A buy-back whose coin costs more than it pays: its stop has fired or will, rests below the market, and buys nothing.

Its orders are in place, so that no state says so. The price tells.

What has been without a stop for too long, told so that it can be judged: how much, worth what, since when, why.

So has what was sold and is to be bought back while nothing does.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.models import Instrument
from exchange.selectors import decimals_of
from oco.engine.pricing import Way, ceiling_of
from oco.engine.states import State, is_final
from oco.models import Lot, OcoGroup
from oco.presentation.reasons import said
from oco.selectors import Lack, groups_open, lacks_read
from portfolio.accounting.perpetual_rows import perpetual_reason, perpetuals_open
from portfolio.alerts.conditions import Trouble, alert_close, trouble_begin, trouble_end, trouble_end_all
from portfolio.dashboard.selectors import usd_prices
from portfolio.models import Alert, Perpetual
from portfolio.signals.watchlist import prices_fresh, quotes_of
from portfolio.templatetags.formatting import amount_text
from portfolio.templatetags.labels import instrument

PREFIX = "dear "


def dear_note_all(*, now: datetime) -> None:
    """Begin and end the alert of each; while no fresh price is known, neither."""
    groups = list(groups_open().filter(state=State.ACTIVE, lot__side=Lot.Side.SELL))
    names = {group.instrument_name for group in groups}
    pairs = {row.symbol: row for row in Instrument.objects.filter(symbol__in=names)} if names else {}
    prices = prices_fresh(quotes_of(names).values(), at=now) if names else {}
    for group in groups:
        pair, price = pairs.get(group.instrument_name), prices.get(group.instrument_name)
        if pair is None or price is None:
            continue
        if price > ceiling_of(group.stop_price, pair.price_tick_size):
            trouble_begin(trouble=_trouble(group, pair), now=now)
        else:
            text = _("The price is back where it buys.")
            trouble_end(condition=f"{PREFIX}{group.pk}", text=text, now=now)
    _end_others({f"{PREFIX}{group.pk}" for group in groups}, now)


def _end_others(known: set[str], now: datetime) -> None:
    """Its orders do not rest any more: another alert says what became of it."""
    for condition in _open_conditions():
        if condition not in known:
            text = _("Its orders do not rest any more; its page says what became of it.")
            trouble_end(condition=condition, text=text, now=now)


def _open_conditions() -> Iterator[str]:
    opened = Alert.objects.filter(kind=Alert.Kind.UNPROTECTED, ended_at=None, condition__startswith=PREFIX)
    yield from opened.values_list("condition", flat=True)


def _trouble(group: OcoGroup, pair: Instrument) -> Trouble:
    ceiling = amount_text(
        ceiling_of(group.stop_price, pair.price_tick_size), decimals_of(pair.price_tick_size)
    )
    text = _(
        "It pays %(ceiling)s at most for one, and the price is above that: nothing is bought until it comes back. "
        "Wait, take it away, or buy by hand."
    )
    return Trouble(
        condition=f"{PREFIX}{group.pk}",
        kind=Alert.Kind.UNPROTECTED,
        title=_("%(name)s: costs more than its buy-back pays") % {"name": instrument(group.instrument_name)},
        text=text % {"ceiling": f"{ceiling} {pair.quote_ccy}"},
        group_id=group.pk,
        instrument_name=group.instrument_name,
    )


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


Kind = Alert.Kind
LONGEST_NAKED = timedelta(minutes=3)
LASTING = (Kind.UNPROTECTED, Kind.STOP_FAILED, Kind.UNKNOWN)


def groups_note_all(*, now: datetime) -> None:
    """Begin what has lasted for too long, end what is over. Safe beside a cycle: it only reads states."""
    for naked in naked_now(now=now, longer_than=naked_limit()):
        trouble = Trouble(
            condition=naked.occasion,
            kind=Kind.UNPROTECTED,
            title=naked.title,
            text=naked.text,
            group_id=naked.group_id,
            instrument_name=naked.instrument_name,
        )
        trouble_begin(trouble=trouble, now=now)
    for group in groups_open().filter(state=State.UNKNOWN, state_since__lt=now - unknown_limit()):
        trouble_begin(trouble=trouble_of(group, Kind.UNKNOWN, group.reason), now=now)
    _end_all(now)


def trouble_of(group: OcoGroup, kind: "Alert.Kind", text: str) -> Trouble:
    return Trouble(
        condition=f"{kind.lower()} {group.pk}",
        kind=kind,
        title=f"{instrument(group.instrument_name)}: {kind.label}",
        text=text,
        group_id=group.pk,
        instrument_name=group.instrument_name,
    )


def naked_limit() -> timedelta:
    """Two cycles, at most three minutes."""
    return min(2 * timedelta(seconds=settings.SYNC_INTERVAL_SECONDS), LONGEST_NAKED)


def unknown_limit() -> timedelta:
    """Two cycles."""
    return 2 * timedelta(seconds=settings.SYNC_INTERVAL_SECONDS)


def _end_all(now: datetime) -> None:
    """Cover that was observed again ends all alerts of its group with one message; an end tells itself."""
    lasting: dict[UUID | None, list[Alert]] = defaultdict(list)
    for alert in Alert.objects.filter(kind__in=LASTING, ended_at=None).exclude(condition=""):
        lasting[alert.oco_group_id].append(alert)
    if not lasting:
        return
    groups = OcoGroup.objects.in_bulk([pk for pk in lasting if pk is not None])
    still_naked = {naked.occasion for naked in naked_now(now=now, longer_than=timedelta(0))}
    for pk, alerts in lasting.items():
        group = groups.get(pk) if pk is not None else None
        if group is not None and is_final(group.state):
            for alert in alerts:
                alert_close(alert=alert, now=now)
        elif group is not None and group.state == State.ACTIVE:
            trouble_end_all(
                alerts=[one for one in alerts if not _is_dear(one) and one.condition not in still_naked],
                title=instrument(group.instrument_name),
                text=said(group.reason),
                now=now,
            )
        else:
            _end_covered(alerts, still_naked, now)


def _end_covered(alerts: Sequence[Alert], still_naked: set[str], now: datetime) -> None:
    """A stop of somebody else stands for ours (rule 2), or a derivative position is gone."""
    for alert in alerts:
        if alert.kind == Kind.UNPROTECTED and not _is_dear(alert) and alert.condition not in still_naked:
            text = _("It has a stop now, or is gone.")
            trouble_end_all(alerts=[alert], title=instrument(alert.instrument_name), text=text, now=now)


def _is_dear(alert: Alert) -> bool:
    """That its orders rest does not end this one: the price does."""
    return alert.condition.startswith(PREFIX)
