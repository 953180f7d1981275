"""One cycle, every 60 seconds, from the first read to the alerts."""

import logging
from datetime import datetime

from exchange.client.client import Client
from exchange.models import SyncRun
from exchange.services.lease import Lease, LeaseLost
from exchange.services.runs import account_check
from exchange.sync.fetch import AccountSnapshot, Clock, fetch_account
from exchange.sync.market_data import quote_record_all
from exchange.sync.store import catalogue_record, prepare_changes, single_transaction, snapshot_record
from exchange.sync.windows import exchange_now_ns, next_fetch_plan
from oco.policies import needs_mark
from oco.reconcile.context import read_result_of
from oco.reconcile.loop import reconcile
from portfolio.accounting.balances import EmptyBalance, balance_record_all
from portfolio.accounting.perpetuals import EmptyPositions, perpetual_record_all, perpetuals_open
from portfolio.accounting.services import cost_update, drift_compare
from portfolio.accounting.snapshots import snapshot_value_record
from portfolio.accounting.valuation import Prices, prices_from_tickers
from portfolio.alerts.services import alert_raise_all
from portfolio.signals.watchlist import instruments_followed

logger = logging.getLogger("exchange_sync")


class AccountUnreadable(RuntimeError):
    """No part of the account could be read."""


def run_cycle(*, client: Client, lease: Lease, run: SyncRun, clock: Clock) -> list[str]:
    """1. check the account 2. read it 3. store it in one transaction 4. protect 5. log the counts 6. record value,
    cost and balance drift 7. raise the alerts, also when the cycle fails.

    Returns the errors as texts, none when the cycle is complete. Raises when nothing could be done.
    """
    try:
        return _run_steps(client=client, lease=lease, run=run, clock=clock)
    finally:
        alert_raise_all(now=clock())


def _run_steps(*, client: Client, lease: Lease, run: SyncRun, clock: Clock) -> list[str]:
    logger.info("Exchange sync: starting exchange sync cycle...")
    now = clock()
    account_check(client=client, now=now)
    fetch_plan = next_fetch_plan(client=client, now=now, with_positions=perpetuals_open().exists())
    snapshot = fetch_account(client=client, fetch_plan=fetch_plan, clock=clock, needs_mark=needs_mark)
    if snapshot.is_unanswered:
        raise AccountUnreadable(" ".join(snapshot.errors[:1]))
    catalogue_record(snapshot=snapshot, now=now)
    changes = prepare_changes(snapshot=snapshot, now=now)
    with single_transaction(changes):
        lease.renew()
        counts = snapshot_record(snapshot=snapshot, changes=changes, fetch_plan=fetch_plan, now=now)
        balances, balance_warnings = _record_balances(snapshot, now)
        position_warnings = _record_positions(snapshot, now)
    run.balances, run.open_orders = balances, counts.open_orders
    run.executed_orders, run.trades = counts.executed_orders, counts.trades
    started_ns = exchange_now_ns(client=client, now=now)
    reads = read_result_of(
        snapshot, started_ns=started_ns, started_at=now, balance_accepted=not balance_warnings
    )
    report = reconcile(client=client, lease=lease, reads=reads, clock=clock)
    run.groups_created, run.groups_closed = report.created, report.closed
    _log(run)
    window_ns = (started_ns, exchange_now_ns(client=client, now=clock()))
    accounting_errors = _record_accounting(
        snapshot, lease=lease, believed=not balance_warnings, window_ns=window_ns, now=now
    )
    quote_errors = _record_quotes(snapshot, now=now)
    return [
        *snapshot.errors,
        *balance_warnings,
        *position_warnings,
        *report.errors,
        *accounting_errors,
        *quote_errors,
    ]


def _record_balances(snapshot: AccountSnapshot, now: datetime) -> tuple[int, list[str]]:
    if snapshot.balance.rows is None:
        return 0, []
    try:
        return balance_record_all(balance=snapshot.balance.rows, prices=_prices(snapshot), now=now), []
    except EmptyBalance as warning:
        return 0, [str(warning)]


def _record_positions(snapshot: AccountSnapshot, now: datetime) -> list[str]:
    """Derivatives, if they were requested and read: a failed read changes nothing."""
    rows = snapshot.positions.rows if snapshot.positions else None
    if rows is None:
        return []
    try:
        perpetual_record_all(positions=rows, balance=snapshot.balance.rows, prices=_prices(snapshot), now=now)
    except EmptyPositions as warning:
        return [str(warning)]
    return []


def _record_accounting(
    snapshot: AccountSnapshot, *, lease: Lease, believed: bool, window_ns: tuple[int, int], now: datetime
) -> list[str]:
    """Nothing that fails here endangers a position: the cycle reports it and continues."""
    try:
        balance, is_priced = snapshot.balance.rows, snapshot.tickers.is_complete
        if balance is not None and believed and is_priced:
            snapshot_value_record(balance=balance, prices=_prices(snapshot), now=now)
        cursor = cost_update(lease=lease)
        if cursor is not None and believed and not snapshot.errors:
            prices = _prices(snapshot)
            drift_compare(
                snapshot=snapshot, cursor=cursor, prices=prices, window_ns=window_ns, lease=lease, now=now
            )
    except LeaseLost:
        raise
    except Exception:
        logger.exception("Exchange sync: value and cost could not be recorded")
        return ["What the account is worth and has cost could not be recorded. The log has the details."]
    return []


def _record_quotes(snapshot: AccountSnapshot, *, now: datetime) -> list[str]:
    """The prices of the watchlist. A failure here endangers no position either."""
    try:
        followed = frozenset(instruments_followed())
        tickers = [row for row in snapshot.tickers.rows or () if row.instrument_name in followed]
        quote_record_all(tickers=tickers, now=now)
    except Exception:
        logger.exception("Exchange sync: prices could not be recorded")
        return ["The prices of the watchlist could not be recorded. The log has the details."]
    return []


def _prices(snapshot: AccountSnapshot) -> Prices:
    return prices_from_tickers({ticker.instrument_name: ticker for ticker in snapshot.tickers.rows or ()})


def _log(run: SyncRun) -> None:
    logger.info("Exchange sync: synced %d balances", run.balances)
    logger.info("Exchange sync: synced %d open orders", run.open_orders)
    logger.info("Exchange sync: synced %d executed orders", run.executed_orders)
