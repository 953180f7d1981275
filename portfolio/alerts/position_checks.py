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

from exchange.core.reasons import Reason, reason
from exchange.models import Instrument
from exchange.selectors import decimals_of
from oco.engine.pricing import ExitSide, max_buy_price_of
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import State, is_final
from oco.models import Lot, OcoGroup
from oco.presentation.reasons import render_reason
from oco.selectors import UnprotectedGroup, groups_open, unprotected_groups_read
from portfolio.accounting.perpetuals import perpetual_reason, perpetuals_open
from portfolio.alerts.conditions import (
    Incident,
    alert_close,
    incident_open,
    incident_resolve,
    incident_resolve_all,
)
from portfolio.dashboard.selectors import usd_prices
from portfolio.formatting import amount_text, instrument_label
from portfolio.models import Alert, Perpetual
from portfolio.signals.watchlist import fresh_prices, load_quotes

ABOVE_LIMIT_PREFIX = "dear "


def check_above_limit(*, now: datetime) -> None:
    """Begin and end the alert of each; while no fresh price is known, neither."""
    groups = list(groups_open().filter(state=State.ACTIVE, lot__side=Lot.Side.SELL))
    names = {group.instrument_name for group in groups}
    pairs = {row.symbol: row for row in Instrument.objects.filter(symbol__in=names)} if names else {}
    prices = fresh_prices(load_quotes(names).values(), at=now) if names else {}
    for group in groups:
        pair, price = pairs.get(group.instrument_name), prices.get(group.instrument_name)
        if pair is None or price is None:
            continue
        if price > max_buy_price_of(group.stop_price, pair.price_tick_size):
            incident_open(incident=_above_limit_incident(group, pair), now=now)
        else:
            text = _("The price is no longer above its limit.")
            incident_resolve(condition=f"{ABOVE_LIMIT_PREFIX}{group.pk}", text=text, now=now)
    _resolve_others({f"{ABOVE_LIMIT_PREFIX}{group.pk}" for group in groups}, now)


def _resolve_others(known: set[str], now: datetime) -> None:
    """Its orders do not rest any more: another alert says what became of it."""
    for condition in _open_conditions():
        if condition not in known:
            text = _("Its orders are no longer open; see its page for details.")
            incident_resolve(condition=condition, text=text, now=now)


def _open_conditions() -> Iterator[str]:
    opened = Alert.objects.filter(
        kind=Alert.Kind.UNPROTECTED, ended_at=None, condition__startswith=ABOVE_LIMIT_PREFIX
    )
    yield from opened.values_list("condition", flat=True)


def _above_limit_incident(group: OcoGroup, pair: Instrument) -> Incident:
    max_buy_price = amount_text(
        max_buy_price_of(group.stop_price, pair.price_tick_size), decimals_of(pair.price_tick_size)
    )
    text = _(
        "The buy-back pays at most %(ceiling)s per coin and the price is higher: nothing is "
        "bought until it drops. Wait, remove the buy-back, or buy manually."
    )
    return Incident(
        condition=f"{ABOVE_LIMIT_PREFIX}{group.pk}",
        kind=Alert.Kind.UNPROTECTED,
        title=_("%(name)s: price above the buy-back limit")
        % {"name": instrument_label(group.instrument_name)},
        text=text % {"ceiling": f"{max_buy_price} {pair.quote_ccy}"},
        group_id=group.pk,
        instrument_name=group.instrument_name,
    )


UNPROTECTED_TITLES = {
    ExitSide.SELL: gettext_lazy("%(name)s: %(quantity)s without a stop"),
    ExitSide.BUY: gettext_lazy("%(name)s: %(quantity)s without a buy-back order"),
}
UNPROTECTED_TEXTS = {
    ExitSide.SELL: gettext_lazy("%(quantity)s, worth %(value)s, unprotected since %(since)s. %(reason)s"),
    ExitSide.BUY: gettext_lazy(
        "%(quantity)s sold, worth %(value)s: no buy-back order since %(since)s. %(reason)s"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnprotectedPosition:
    """One of them. `occasion` is the same as long as it lasts; `value_usd` None is not known."""

    incident_key: str
    instrument_name: str
    quantity: Decimal
    value_usd: Decimal | None
    since: datetime
    reason: Reason | None
    group_id: UUID | None = None
    exit_side: ExitSide = ExitSide.SELL

    @property
    def title(self) -> str:
        return str(UNPROTECTED_TITLES[self.exit_side]) % {
            "name": instrument_label(self.instrument_name),
            "quantity": amount_text(self.quantity),
        }

    @property
    def text(self) -> str:
        return str(UNPROTECTED_TEXTS[self.exit_side]) % {
            "quantity": amount_text(self.quantity),
            "value": _("an unknown amount") if self.value_usd is None else f"${self.value_usd:,.2f}",
            "since": f"{timezone.localtime(self.since):%Y-%m-%d %H:%M:%S %Z}",
            "reason": render_reason(self.reason),
        }


def unprotected_positions(*, now: datetime, longer_than: timedelta) -> Iterator[UnprotectedPosition]:
    """Groups and derivative positions alike (invariant *No silent nakedness*)."""
    lacks = unprotected_groups_read(now=now, longer_than=longer_than)
    prices = _prices_usd([unprotected.group for unprotected in lacks], now) if lacks else {}
    yield from (_group_position(unprotected, prices.get(unprotected.group.pk)) for unprotected in lacks)
    yield from (_perpetual_position(row) for row in perpetuals_open().filter(since__lt=now - longer_than))


def _prices_usd(groups: Sequence[OcoGroup], now: datetime) -> dict[UUID, Decimal]:
    """By group. Of a coin that is sold out no price stands beside the balance: then the last one of its pair."""
    usd = usd_prices()
    found = {group.pk: usd[group.lot.base_ccy] for group in groups if group.lot.base_ccy in usd}
    rest = [group for group in groups if group.pk not in found and group.lot.quote_ccy in usd]
    last = (
        fresh_prices(load_quotes({group.instrument_name for group in rest}).values(), at=now) if rest else {}
    )
    sold_out = [group for group in rest if group.instrument_name in last]
    return found | {group.pk: last[group.instrument_name] * usd[group.lot.quote_ccy] for group in sold_out}


def _group_position(unprotected: UnprotectedGroup, price: Decimal | None) -> UnprotectedPosition:
    group, prefix = unprotected.group, "part" if unprotected.is_partial else "naked"
    return UnprotectedPosition(
        incident_key=f"{prefix} {group.pk} {unprotected.since:%Y-%m-%dT%H:%M:%S}",
        instrument_name=group.instrument_name,
        quantity=unprotected.quantity,
        value_usd=None if price is None else unprotected.quantity * price,
        since=unprotected.since,
        reason=reason(ReasonCode.PART_WITHOUT_STOP) if unprotected.is_partial else group.stored_reason,
        group_id=group.pk,
        exit_side=group.lot.exit_side,
    )


def _perpetual_position(row: Perpetual) -> UnprotectedPosition:
    return UnprotectedPosition(
        incident_key=f"perpetual {row.pk} {row.since:%Y-%m-%dT%H:%M:%S}",
        instrument_name=row.instrument_name,
        quantity=row.quantity,
        value_usd=row.market_value_usd,
        since=row.since,
        reason=perpetual_reason(),
    )


Kind = Alert.Kind
MAX_UNPROTECTED = timedelta(minutes=3)
LASTING_KINDS = (Kind.UNPROTECTED, Kind.STOP_FAILED, Kind.UNKNOWN)


def check_groups(*, now: datetime) -> None:
    """Begin what has lasted for too long, end what is over. Safe beside a cycle: it only reads states."""
    for position in unprotected_positions(now=now, longer_than=unprotected_limit()):
        incident = Incident(
            condition=position.incident_key,
            kind=Kind.UNPROTECTED,
            title=position.title,
            text=position.text,
            group_id=position.group_id,
            instrument_name=position.instrument_name,
        )
        incident_open(incident=incident, now=now)
    for group in groups_open().filter(state=State.UNKNOWN, state_since__lt=now - unknown_limit()):
        incident_open(
            incident=group_incident(group, Kind.UNKNOWN, render_reason(group.stored_reason)), now=now
        )
    _resolve_all(now)


def group_incident(group: OcoGroup, kind: "Alert.Kind", text: str) -> Incident:
    return Incident(
        condition=f"{kind.lower()} {group.pk}",
        kind=kind,
        title=f"{instrument_label(group.instrument_name)}: {kind.label}",
        text=text,
        group_id=group.pk,
        instrument_name=group.instrument_name,
    )


def unprotected_limit() -> timedelta:
    """Two cycles, at most three minutes."""
    return min(2 * timedelta(seconds=settings.SYNC_INTERVAL_SECONDS), MAX_UNPROTECTED)


def unknown_limit() -> timedelta:
    """Two cycles."""
    return 2 * timedelta(seconds=settings.SYNC_INTERVAL_SECONDS)


def _resolve_all(now: datetime) -> None:
    """Cover that was observed again ends all alerts of its group with one message; an end tells itself."""
    open_alerts: dict[UUID | None, list[Alert]] = defaultdict(list)
    for alert in Alert.objects.filter(kind__in=LASTING_KINDS, ended_at=None).exclude(condition=""):
        open_alerts[alert.oco_group_id].append(alert)
    if not open_alerts:
        return
    groups = OcoGroup.objects.in_bulk([pk for pk in open_alerts if pk is not None])
    still_unprotected = {
        position.incident_key for position in unprotected_positions(now=now, longer_than=timedelta(0))
    }
    for pk, alerts in open_alerts.items():
        group = groups.get(pk) if pk is not None else None
        if group is not None and is_final(group.state):
            for alert in alerts:
                alert_close(alert=alert, now=now)
        elif group is not None and group.state == State.ACTIVE:
            incident_resolve_all(
                alerts=[
                    one
                    for one in alerts
                    if not _is_above_limit(one) and one.condition not in still_unprotected
                ],
                title=instrument_label(group.instrument_name),
                text=render_reason(group.stored_reason),
                now=now,
            )
        else:
            _resolve_covered(alerts, still_unprotected, now)


def _resolve_covered(alerts: Sequence[Alert], still_unprotected: set[str], now: datetime) -> None:
    """A stop of somebody else stands for ours (rule 2), or a derivative position is gone."""
    for alert in alerts:
        if (
            alert.kind == Kind.UNPROTECTED
            and not _is_above_limit(alert)
            and alert.condition not in still_unprotected
        ):
            text = _("It has a stop now, or the position is closed.")
            incident_resolve_all(
                alerts=[alert], title=instrument_label(alert.instrument_name), text=text, now=now
            )


def _is_above_limit(alert: Alert) -> bool:
    """That its orders rest does not end this one: the price does."""
    return alert.condition.startswith(ABOVE_LIMIT_PREFIX)
