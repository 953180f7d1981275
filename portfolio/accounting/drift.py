"""Keeps for each coin what trades brought since the desk looks, and tells what came or went without one.

Cash is compared as well: a trade's other side is counted like the coin itself. Derivatives are settled in dollars
without a trade that says how much, so dollars are not compared while one is open, and are learnt again after it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from exchange.models import HistoryRange, Trade
from exchange.models.sync import Stream
from exchange.services.lease import Held
from exchange.sync.fetch import Snapshot
from portfolio.accounting.balance_drift import (
    LAG_NS,
    NEAR_NS,
    ZERO,
    Drift,
    Look,
    News,
    begun,
    compared,
    counted,
    learnt_again,
)
from portfolio.accounting.cost_basis import Fill, changes_of, spot_pair
from portfolio.accounting.valuation import USD, Prices, price_usd, worth_of
from portfolio.alerts.drift import drift_tell
from portfolio.models import CoinDrift, CostCursor

NAMES = [one.name for one in fields(Drift)]
Drifts = dict[str, Drift]
Timed = tuple[int, Fill]


def drift_count(*, fills: Iterable[Timed], since_ns: int | None) -> None:
    """Executions that came to light, each once, with its nanosecond; nothing before the first look, `since_ns`.

    A history that is read backwards changes nothing.
    """
    fresh = [one for one in fills if since_ns is not None and one[0] > since_ns - NEAR_NS]
    if not fresh or since_ns is None:
        return
    drifts = _read()
    for at_ns, fill in fresh:
        for change in changes_of(fill, cash=()):
            drift = drifts.get(change.currency) or Drift()
            drifts[change.currency] = counted(drift, at_ns=at_ns, quantity=change.quantity, since_ns=since_ns)
        if spot_pair(fill.instrument_name) is None:
            drifts[USD] = learnt_again(drifts.get(USD) or Drift())
    _write(drifts)


def drift_look(
    *,
    snapshot: Snapshot,
    cursor: CostCursor,
    prices: Prices,
    span: tuple[int, int],
    held: Held,
    now: datetime,
) -> None:
    """After a complete read between two moments of the exchange's time (`span`, ns), when every stored trade was
    counted. One statement when nothing moved. While a stretch of trades is still to be read nothing is compared.
    """
    looks = _looks(snapshot, prices, span)
    if cursor.compared_since_ns is None:
        _begin(looks, cursor, span, held)
        return
    drifts = dict.fromkeys(looks, Drift()) | _read()
    nothing = {one: _look(ZERO, price_usd(one, prices), span) for one in drifts if one not in looks}
    found = {one: compared(drifts[one], look) for one, look in (looks | nothing).items()}
    if _has_derivatives(snapshot):
        found.pop(USD, None)
    moved = {one: drift for one, (drift, _) in found.items() if drift != drifts[one]}
    if moved and not _is_unread(cursor.compared_since_ns):
        news = [(one, each, (looks | nothing)[one]) for one, (_, each) in found.items() if each]
        _record(moved, news, held, now)


def _looks(snapshot: Snapshot, prices: Prices, span: tuple[int, int]) -> dict[str, Look]:
    """A coin that the exchange itself counts for nothing has no known price."""
    rows = snapshot.balance.rows
    return {
        each.instrument_name: _look(each.quantity, worth_of(each, prices).price_usd or None, span)
        for each in (rows.positions if rows else ())
    }


def _look(quantity: Decimal, price: Decimal | None, span: tuple[int, int]) -> Look:
    return Look(quantity=quantity, price_usd=price, from_ns=span[0], until_ns=span[1])


def _begin(looks: Mapping[str, Look], cursor: CostCursor, span: tuple[int, int], held: Held) -> None:
    """What is held is known from now on."""
    cursor.compared_since_ns = span[1]
    traded = _just_traded(span[0] - LAG_NS)
    with transaction.atomic():
        held.renew()
        _write({one: begun(look, traded_ns=traded.get(one, 0)) for one, look in looks.items()})
        cursor.save()


def _just_traded(since_ns: int) -> dict[str, int]:
    """By coin its newest execution after that."""
    rows = Trade.objects.filter(create_time_ns__gt=since_ns).order_by("create_time_ns")
    found = [(row.create_time_ns, _fill(row)) for row in rows]
    return {change.currency: at_ns for at_ns, fill in found for change in changes_of(fill, cash=())}


def _fill(row: Trade) -> Fill:
    return Fill(
        instrument_name=row.instrument_name,
        side=row.side,
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        fee_currency=row.fee_currency,
    )


def _has_derivatives(snapshot: Snapshot) -> bool:
    rows = snapshot.positions.rows if snapshot.positions else None
    return any(row.quantity for row in rows or ())


def _is_unread(since_ns: int) -> bool:
    waiting = HistoryRange.objects.filter(stream=Stream.TRADES, done_at=None, end_ns__gt=since_ns)
    return waiting.exists()


def _record(moved: Drifts, news: Sequence[tuple[str, News, Look]], held: Held, now: datetime) -> None:
    """What is known now and what is told of it, together."""
    with transaction.atomic():
        held.renew()
        _write(moved)
        for currency, each, look in news:
            drift_tell(currency=currency, news=each, price_usd=look.price_usd, now=now)


def _read() -> Drifts:
    rows = CoinDrift.objects.values_list("currency", *NAMES)
    return {currency: Drift(**dict(zip(NAMES, values, strict=True))) for currency, *values in rows}


def _write(drifts: Drifts) -> None:
    CoinDrift.objects.bulk_create(
        [CoinDrift(currency=currency, **asdict(drift)) for currency, drift in drifts.items()],
        update_conflicts=True,
        unique_fields=["currency"],
        update_fields=NAMES,
    )
