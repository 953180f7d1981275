"""The 60 seconds, top to bottom."""

import logging
from datetime import datetime

from exchange.client.client import Client
from exchange.models import SyncRun
from exchange.services.lease import Held, LeaseLost
from exchange.services.runs import account_check
from exchange.sync.fetch import Clock, Snapshot, pull
from exchange.sync.market_data import quote_record_all
from exchange.sync.store import catalogue_record, one_picture, snapshot_draft, snapshot_record
from exchange.sync.windows import exchange_now_ns, wanted_next
from oco.reconcile.context import facts_of
from oco.reconcile.loop import reconcile
from portfolio.accounting.balances import EmptyBalance, balance_record_all
from portfolio.accounting.perpetual_rows import perpetuals_open
from portfolio.accounting.perpetuals import EmptyPositions, perpetual_record_all
from portfolio.accounting.services import cost_update, drift_look
from portfolio.accounting.snapshots import snapshot_value_record
from portfolio.accounting.valuation import Prices, prices_of
from portfolio.alerts.services import alert_raise_all
from portfolio.signals.watchlist import instruments_followed

logger = logging.getLogger("exchange_sync")


class Silence(RuntimeError):
    """Not one part of the account could be read."""


def run_cycle(*, client: Client, held: Held, run: SyncRun, clock: Clock) -> list[str]:
    """1. make sure whose account this is 2. read it 3. write it down as one picture 4. protect
    5. say what came 6. record what it is worth, what it cost and what no trade explains 7. raise the alerts, also
    when the cycle fails.

    Returns what went wrong in words; nothing when the cycle is complete. Raises when nothing can be said.
    """
    try:
        return _steps(client=client, held=held, run=run, clock=clock)
    finally:
        alert_raise_all(now=clock())


def _steps(*, client: Client, held: Held, run: SyncRun, clock: Clock) -> list[str]:
    logger.info("Exchange sync: starting exchange sync cycle...")
    now = clock()
    account_check(client=client, now=now)
    wanted = wanted_next(client=client, now=now, with_positions=perpetuals_open().exists())
    snapshot = pull(client=client, wanted=wanted, clock=clock)
    if snapshot.is_silent:
        raise Silence(" ".join(snapshot.errors[:1]))
    catalogue_record(snapshot=snapshot, now=now)
    draft = snapshot_draft(snapshot=snapshot, now=now)
    with one_picture(draft):
        held.renew()
        counts = snapshot_record(snapshot=snapshot, draft=draft, wanted=wanted, now=now)
        balances, doubts = _balances(snapshot, now)
        misgivings = _positions(snapshot, now)
    run.balances, run.open_orders = balances, counts.open_orders
    run.executed_orders, run.trades = counts.executed_orders, counts.trades
    started_ns = exchange_now_ns(client=client, now=now)
    facts = facts_of(snapshot, started_ns=started_ns, started_at=now, balance_believed=not doubts)
    report = reconcile(client=client, held=held, facts=facts, clock=clock)
    run.groups_created, run.groups_closed = report.created, report.closed
    _log(run)
    span = (started_ns, exchange_now_ns(client=client, now=clock()))
    unkept = _keep_accounts(snapshot, held=held, believed=not doubts, span=span, now=now)
    unquoted = _keep_quotes(snapshot, now=now)
    return [*snapshot.errors, *doubts, *misgivings, *report.errors, *unkept, *unquoted]


def _balances(snapshot: Snapshot, now: datetime) -> tuple[int, list[str]]:
    if snapshot.balance.rows is None:
        return 0, []
    try:
        return balance_record_all(balance=snapshot.balance.rows, prices=_prices(snapshot), now=now), []
    except EmptyBalance as doubt:
        return 0, [str(doubt)]


def _positions(snapshot: Snapshot, now: datetime) -> list[str]:
    """Derivatives, where they were asked for and answered: a failed read is no news."""
    rows = snapshot.positions.rows if snapshot.positions else None
    if rows is None:
        return []
    try:
        perpetual_record_all(positions=rows, balance=snapshot.balance.rows, prices=_prices(snapshot), now=now)
    except EmptyPositions as doubt:
        return [str(doubt)]
    return []


def _keep_accounts(
    snapshot: Snapshot, *, held: Held, believed: bool, span: tuple[int, int], now: datetime
) -> list[str]:
    """What can go wrong here harms no position: the cycle says so and goes on."""
    try:
        balance, is_priced = snapshot.balance.rows, snapshot.tickers.is_complete
        if balance is not None and believed and is_priced:
            snapshot_value_record(balance=balance, prices=_prices(snapshot), now=now)
        cursor = cost_update(held=held)
        if cursor is not None and believed and not snapshot.errors:
            prices = _prices(snapshot)
            drift_look(snapshot=snapshot, cursor=cursor, prices=prices, span=span, held=held, now=now)
    except LeaseLost:
        raise
    except Exception:
        logger.exception("Exchange sync: value and cost could not be recorded")
        return ["What the account is worth and has cost could not be recorded. The log has the details."]
    return []


def _keep_quotes(snapshot: Snapshot, *, now: datetime) -> list[str]:
    """The prices that pages show beside the account's own; they harm no position either."""
    try:
        followed = frozenset(instruments_followed())
        tickers = [row for row in snapshot.tickers.rows or () if row.instrument_name in followed]
        quote_record_all(tickers=tickers, now=now)
    except Exception:
        logger.exception("Exchange sync: prices could not be recorded")
        return ["The prices of the watchlist could not be recorded. The log has the details."]
    return []


def _prices(snapshot: Snapshot) -> Prices:
    return prices_of({ticker.instrument_name: ticker for ticker in snapshot.tickers.rows or ()})


def _log(run: SyncRun) -> None:
    logger.info("Exchange sync: synced %d balances", run.balances)
    logger.info("Exchange sync: synced %d open orders", run.open_orders)
    logger.info("Exchange sync: synced %d executed orders", run.executed_orders)
