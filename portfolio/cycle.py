"""The 60 seconds, top to bottom."""

import logging
from datetime import datetime

from exchange.client import Client
from exchange.models import SyncRun
from exchange.plan import exchange_now_ns, wanted_next
from exchange.services import (
    Held,
    account_check,
    catalogue_record,
    one_picture,
    snapshot_draft,
    snapshot_record,
)
from exchange.sync import Clock, Snapshot, pull
from oco.facts import facts_of
from oco.reconcile import reconcile
from portfolio.services.alerts import alert_raise_all
from portfolio.services.balances import EmptyBalance, balance_record_all
from portfolio.valuation import prices_of

logger = logging.getLogger("exchange_sync")


class Silence(RuntimeError):
    """Not one part of the account could be read."""


def run_cycle(*, client: Client, held: Held, run: SyncRun, clock: Clock) -> list[str]:
    """1. make sure whose account this is 2. read it 3. write it down as one picture 4. protect
    5. say what came 6. raise the alerts, also when the cycle fails.

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
    wanted = wanted_next(client=client, now=now)
    snapshot = pull(client=client, wanted=wanted, clock=clock)
    if snapshot.is_silent:
        raise Silence(" ".join(snapshot.errors[:1]))
    catalogue_record(snapshot=snapshot, now=now)
    draft = snapshot_draft(snapshot=snapshot, now=now)
    with one_picture(draft):
        held.renew()
        counts = snapshot_record(snapshot=snapshot, draft=draft, wanted=wanted, now=now)
        balances, doubts = _balances(snapshot, now)
    run.balances, run.open_orders = balances, counts.open_orders
    run.executed_orders, run.trades = counts.executed_orders, counts.trades
    started_ns = exchange_now_ns(client=client, now=now)
    facts = facts_of(snapshot, started_ns=started_ns, started_at=now, balance_believed=not doubts)
    report = reconcile(client=client, held=held, facts=facts, clock=clock)
    run.groups_created, run.groups_closed = report.created, report.closed
    _log(run)
    return [*snapshot.errors, *doubts, *report.errors]


def _balances(snapshot: Snapshot, now: datetime) -> tuple[int, list[str]]:
    if snapshot.balance.rows is None:
        return 0, []
    prices = prices_of({ticker.instrument_name: ticker for ticker in snapshot.tickers.rows or ()})
    try:
        return balance_record_all(balance=snapshot.balance.rows, prices=prices, now=now), []
    except EmptyBalance as doubt:
        return 0, [str(doubt)]


def _log(run: SyncRun) -> None:
    logger.info("Exchange sync: synced %d balances", run.balances)
    logger.info("Exchange sync: synced %d open orders", run.open_orders)
    logger.info("Exchange sync: synced %d executed orders", run.executed_orders)
