"""Checks of positions and groups: without a stop for too long, order status unknown, price above a buy-back's limit."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings

from exchange.core.reasons import Reason, reason
from exchange.models import Instrument
from exchange.selectors import decimals_of
from oco.engine.pricing import ExitSide, max_buy_price_of
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import State, is_final
from oco.models import Lot, OcoGroup
from oco.selectors import UnprotectedGroup, groups_open, unprotected_groups_read
from portfolio.accounting.holdings import perpetual_reason, perpetuals_open
from portfolio.alerts.incidents import (
    Incident,
    alert_close,
    incident_open,
    incident_resolve,
    incident_resolve_all,
)
from portfolio.alerts.texts import reason_param
from portfolio.dashboard.selectors import usd_prices
from portfolio.models import Alert, Perpetual
from portfolio.signals.watchlist import fresh_prices, load_quotes

Kind = Alert.Kind
MAX_UNPROTECTED = timedelta(minutes=3)
LASTING_KINDS = (Kind.UNPROTECTED, Kind.STOP_FAILED, Kind.UNKNOWN)
ABOVE_LIMIT_PREFIX = "dear "  # of incident keys, as they are stored


@dataclass(frozen=True, slots=True, kw_only=True)
class UnprotectedPosition:
    """Coins without a stop, or sold coins that no order buys back. A `value_usd` of None is not known."""

    incident_key: str
    instrument_name: str
    quantity: Decimal
    value_usd: Decimal | None
    since: datetime
    reason: Reason | None
    group_id: UUID | None = None
    exit_side: ExitSide = ExitSide.SELL


def check_groups(*, now: datetime) -> None:
    """Open what has lasted for too long, resolve what is over. Safe during a cycle: it only reads states."""
    for position in unprotected_positions(now=now, longer_than=unprotected_limit()):
        incident_open(incident=_unprotected_incident(position), now=now)
    for group in groups_open().filter(state=State.UNKNOWN, state_since__lt=now - unknown_limit()):
        incident_open(incident=group_incident(group, Kind.UNKNOWN, group.stored_reason), now=now)
    _resolve_covered(now)


def check_above_limit(*, now: datetime) -> None:
    """A buy-back whose coin costs more than the limit of its stop: once triggered, it buys nothing.

    Its orders are open, so no state of the group shows it. Without a fresh price nothing is opened or resolved.
    """
    groups = list(groups_open().filter(state=State.ACTIVE, lot__side=Lot.Side.SELL))
    names = {group.instrument_name for group in groups}
    pairs = {row.symbol: row for row in Instrument.objects.filter(symbol__in=names)} if names else {}
    prices = fresh_prices(load_quotes(names).values(), at=now) if names else {}
    for group in groups:
        pair, price = pairs.get(group.instrument_name), prices.get(group.instrument_name)
        if pair is None or price is None:
            continue
        max_buy_price = max_buy_price_of(group.stop_price, pair.price_tick_size)
        if price > max_buy_price:
            incident_open(incident=_above_limit_incident(group, pair, max_buy_price), now=now)
        else:
            incident_resolve(key=_above_limit_key(group), reason=reason("WITHIN_LIMIT"), now=now)
    _resolve_without_orders({_above_limit_key(group) for group in groups}, now)


def unprotected_positions(*, now: datetime, longer_than: timedelta) -> Iterator[UnprotectedPosition]:
    """Of groups and of derivatives (invariant *No silent nakedness*)."""
    found = unprotected_groups_read(now=now, longer_than=longer_than)
    prices = _prices_usd([unprotected.group for unprotected in found], now) if found else {}
    yield from (_group_position(unprotected, prices.get(unprotected.group.pk)) for unprotected in found)
    yield from (_perpetual_position(row) for row in perpetuals_open().filter(since__lt=now - longer_than))


def unprotected_limit() -> timedelta:
    """Two cycles, at most three minutes."""
    return min(2 * timedelta(seconds=settings.SYNC_INTERVAL_SECONDS), MAX_UNPROTECTED)


def unknown_limit() -> timedelta:
    """Two cycles."""
    return 2 * timedelta(seconds=settings.SYNC_INTERVAL_SECONDS)


def group_incident(group: OcoGroup, kind: "Alert.Kind", why: Reason | None) -> Incident:
    """That the stop of a group failed or that an order's status is unknown; `why` is its reason."""
    return Incident(
        key=f"{kind.lower()} {group.pk}",
        kind=kind,
        reason=reason(
            kind,
            exchange_code=why.exchange_code if why else None,
            instrument=group.instrument_name,
            reason=reason_param(why),
        ),
        group_id=group.pk,
        instrument_name=group.instrument_name,
    )


def _unprotected_incident(position: UnprotectedPosition) -> Incident:
    return Incident(
        key=position.incident_key,
        kind=Kind.UNPROTECTED,
        reason=reason(
            "UNPROTECTED",
            exchange_code=position.reason.exchange_code if position.reason else None,
            instrument=position.instrument_name,
            side=position.exit_side,
            quantity=position.quantity,
            value=position.value_usd,
            since=position.since,
            reason=reason_param(position.reason),
        ),
        group_id=position.group_id,
        instrument_name=position.instrument_name,
    )


def _prices_usd(groups: Sequence[OcoGroup], now: datetime) -> dict[UUID, Decimal]:
    """By group: the price of its coin from the balances, else the last price of its pair (a coin that is sold out)."""
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


def _above_limit_incident(group: OcoGroup, pair: Instrument, max_buy_price: Decimal) -> Incident:
    return Incident(
        key=_above_limit_key(group),
        kind=Kind.UNPROTECTED,
        reason=reason(
            "ABOVE_LIMIT",
            instrument=group.instrument_name,
            ceiling=max_buy_price,
            price_decimals=decimals_of(pair.price_tick_size),
        ),
        group_id=group.pk,
        instrument_name=group.instrument_name,
    )


def _above_limit_key(group: OcoGroup) -> str:
    return f"{ABOVE_LIMIT_PREFIX}{group.pk}"


def _is_above_limit(alert: Alert) -> bool:
    return alert.condition.startswith(ABOVE_LIMIT_PREFIX)


def _resolve_without_orders(keys: set[str], now: datetime) -> None:
    """Buy-backs whose orders are no longer open: another alert reports what happened."""
    opened = Alert.objects.filter(
        kind=Kind.UNPROTECTED, ended_at=None, condition__startswith=ABOVE_LIMIT_PREFIX
    )
    for alert in opened:
        if alert.condition not in keys:
            incident_resolve_all(alerts=[alert], reason=reason("ORDERS_CLOSED"), now=now)


def _resolve_covered(now: datetime) -> None:
    """One message resolves all alerts of a group whose orders were confirmed open again. A group that was closed
    has an alert about that.
    """
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
            continue
        # open orders do not resolve a price above the limit: the price does
        over = [one for one in alerts if one.condition not in still_unprotected and not _is_above_limit(one)]
        if group is not None and group.state == State.ACTIVE:
            covered = reason(
                "GROUP_COVERED", instrument=group.instrument_name, reason=reason_param(group.stored_reason)
            )
            incident_resolve_all(alerts=over, reason=covered, now=now)
        else:
            _resolve_covered_otherwise(over, now)


def _resolve_covered_otherwise(alerts: Sequence[Alert], now: datetime) -> None:
    """An external stop covers the coins (rule 2), or a derivative position is closed."""
    for alert in alerts:
        if alert.kind == Kind.UNPROTECTED:
            covered = reason("POSITION_COVERED", instrument=alert.instrument_name)
            incident_resolve_all(alerts=[alert], reason=covered, now=now)
