"""A cycle that a message of the user stream wakes: what the message concerns, by the same path as every cycle.

It reads both open lists, trades and balance, and the orders that the message reports as ended. It neither moves how
far the histories are read nor counts as a complete cycle; whatever it cannot settle is left to one.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from exchange.client.client import Client
from exchange.core.instrument_names import USD, is_derivative, quote_of
from exchange.models import Trade
from exchange.schemas import Ticker
from exchange.services.lease import Lease
from exchange.services.runs import account_check
from exchange.services.stream_records import cycle_last_complete
from exchange.sync.fetch import AccountSnapshot, Clock, FetchRun, OrderKey, fetch_protective
from exchange.sync.market_data import names_traded, unknown_names
from exchange.sync.store import prepare_changes, single_transaction
from exchange.sync.windows import exchange_now_ns, next_fetch_plan
from oco.models import OPEN_OR_WAITING, Lot
from oco.policies import needs_mark
from oco.reconcile.context import cycle_context_build, read_result_of
from oco.reconcile.entries import unknown_entries
from oco.reconcile.loop import reconcile
from portfolio.accounting.holdings import balances_stored
from portfolio.alerts.services import alert_raise_all
from portfolio.worker.cycle import CycleRecording
from portfolio.worker.fills import rates_stored

MAX_ENDED = 2  # orders that one message may end: both legs of a pair
logger = logging.getLogger("exchange_sync")


class NeedsFullCycle(RuntimeError):
    """What was read does not settle it."""


def run_narrow_cycle(*, client: Client, lease: Lease, clock: Clock, ended: Sequence[OrderKey]) -> None:
    """Four reads, up to two about the orders that ended, and what protection sends.

    Raises NeedsFullCycle; what it has stored by then is true.
    """
    now = clock()
    if cycle_last_complete() is None or len(ended) > MAX_ENDED or account_check(client=client, now=now):
        raise NeedsFullCycle
    fetch_plan = replace(
        next_fetch_plan(client=client, now=now),
        open_keys=ended,
        late_keys=frozenset(),
        with_catalogue=False,
    )
    fetch_run = FetchRun.start(client=client, clock=clock, fetch_plan=fetch_plan, with_tickers=False)
    snapshot = fetch_protective(fetch_run=fetch_run, needs_mark=needs_mark)
    if snapshot.errors or unknown_names(snapshot=snapshot, entries=unknown_entries()):
        raise NeedsFullCycle
    changes = prepare_changes(snapshot=snapshot, now=now, fetch_plan=fetch_plan)
    rates = _known_rates(snapshot, now)
    stored = balances_stored()
    prices = {f"{row.currency}_{USD}": row.price_usd for row in stored.values() if row.price_usd is not None}
    recording = CycleRecording(snapshot, stored, changes, prices)
    if not recording.is_balance_accepted or changes.disputes.changed or client.take_unreadable_rows():
        raise NeedsFullCycle
    with single_transaction(changes):
        lease.renew()
        recording.store_protective(now)
    reads = read_result_of(
        snapshot,
        started_ns=exchange_now_ns(client=client, now=now),
        started_at=now,
        balance_accepted=recording.is_balance_accepted,
    )
    reads = replace(reads, tickers=rates)
    context = cycle_context_build(
        client=client, lease=lease, reads=reads, clock=clock, budget=fetch_run.budget
    )
    report = reconcile(context=context)
    alert_raise_all(now=clock())
    if report.errors:
        raise NeedsFullCycle
    logger.info("Exchange sync: read after a message of the user stream (%d requests)", client.requests)


def _known_rates(snapshot: AccountSnapshot, now: datetime) -> dict[str, Ticker]:
    """Of the quote currencies of all lots and new fills: without them nobody knows what is large enough for an order.
    Raises NeedsFullCycle when one is missing.
    """
    lots = Lot.objects.filter(OPEN_OR_WAITING).order_by()
    new = Trade.objects.filter(is_new=True).order_by()
    names = {*lots.values_list("instrument_name", flat=True), *new.values_list("instrument_name", flat=True)}
    names |= names_traded(snapshot)
    names = {name for name in names if not is_derivative(name)}
    rates = rates_stored(names, now=now)
    if {quote_of(name) for name in names} - {USD} - {name.partition("_")[0] for name in rates}:
        raise NeedsFullCycle
    return rates
