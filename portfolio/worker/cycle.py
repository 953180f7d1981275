"""One cycle, every 60 seconds, from the first read to the alerts."""

import logging
from datetime import datetime

from exchange.client.client import Client
from exchange.client.errors import ExchangeError
from exchange.core.reasons import Sentence, SyncReason, sentence_of, stored_sentence
from exchange.models import SyncRun
from exchange.services.lease import Lease, LeaseLost
from exchange.services.runs import account_check, account_confirm
from exchange.sync.backfill import gap_read
from exchange.sync.fetch import (
    AccountSnapshot,
    Clock,
    FetchRun,
    fetch_catalogue,
    fetch_protective,
    fetch_rest,
)
from exchange.sync.market_data import names_found, names_traded, quote_record_all, unknown_names
from exchange.sync.store import (
    PendingChanges,
    catalogue_record,
    changes_store,
    cursors_advance,
    prepare_changes,
    rest_of,
    single_transaction,
    sync_counts,
)
from exchange.sync.trades import UsdRates
from exchange.sync.unreadable import unreadable_record_all
from exchange.sync.windows import exchange_now_ns, next_fetch_plan
from oco.policies import needs_mark
from oco.reconcile.context import cycle_context_build, read_result_of
from oco.reconcile.entries import unknown_entries
from oco.reconcile.fills import fills_audit
from oco.reconcile.loop import reconcile, reconcile_rest
from portfolio.accounting.equity_curve import snapshot_value_record
from portfolio.accounting.holdings import (
    EmptyBalance,
    EmptyPositions,
    Stored,
    balance_check,
    balance_record_all,
    balances_stored,
    perpetual_record_all,
    perpetuals_open,
)
from portfolio.accounting.rates import current_rates, trade_rates_update
from portfolio.accounting.services import cost_update, drift_compare, entries_correct
from portfolio.accounting.valuation import Prices, prices_from_tickers
from portfolio.alerts.accounting_checks import check_unknown_instruments
from portfolio.alerts.services import alert_raise_all
from portfolio.models import CostCursor
from portfolio.signals.watchlist import instruments_followed

logger = logging.getLogger("exchange_sync")


class AccountUnreadable(RuntimeError):
    """No part of the account could be read."""


def run_cycle(*, client: Client, lease: Lease, run: SyncRun, clock: Clock) -> list[str]:
    """1. read what protection needs and store it 2. protect 3. read and store the rest: history, tickers, catalogue,
    account 4. what that changed for protection 5. record value, cost and balance drift 6. raise the alerts, also
    when the cycle fails.

    What fails after 2. makes the cycle incomplete, no more. Returns the errors as texts, none when the cycle is
    complete. Raises when nothing could be done.
    """
    try:
        errors = _run_steps(client=client, lease=lease, run=run, clock=clock)
    finally:
        unreadable_errors = unreadable_record_all(rows=client.take_unreadable_rows(), now=clock())
        alert_raise_all(now=clock())
    return [*errors, *unreadable_errors]


def _run_steps(*, client: Client, lease: Lease, run: SyncRun, clock: Clock) -> list[str]:
    logger.info("Exchange sync: starting exchange sync cycle...")
    now = clock()
    is_confirmation_due = account_check(client=client, now=now)
    fetch_plan = next_fetch_plan(client=client, now=now, with_positions=perpetuals_open().exists())
    fetch_run = FetchRun.start(client=client, clock=clock, fetch_plan=fetch_plan)
    snapshot, unknown = _read_protective(fetch_run, now)
    recording = CycleRecording(
        snapshot,
        balances_stored(),
        prepare_changes(snapshot=snapshot, now=now, fetch_plan=fetch_plan),
    )
    client.unreadable_rows += recording.changes.disputes.doubts
    if not recording.changes.is_empty:
        with single_transaction(recording.changes):
            lease.renew()
            recording.store_protective(now)
    started_ns = exchange_now_ns(client=client, now=now)
    reads = read_result_of(
        snapshot, started_ns=started_ns, started_at=now, balance_accepted=recording.is_balance_accepted
    )
    context = cycle_context_build(
        client=client, lease=lease, reads=reads, clock=clock, budget=fetch_run.budget
    )
    report = reconcile(context=context)
    run.groups_created, run.groups_closed = report.created, report.closed

    if not fetch_run.has_rest:
        snapshot = fetch_rest(fetch_run=fetch_run, snapshot=snapshot, with_catalogue=bool(unknown))
    rest_errors = _confirm_account(client, now) if is_confirmation_due else []
    if recording.snapshot.instruments is None:
        _record_catalogue(fetch_run, snapshot, unknown, now)
    unknown_errors = _report_unknown(snapshot if unknown else None, now)
    rest = prepare_changes(snapshot=rest_of(snapshot, stored=recording.snapshot), now=now)
    with single_transaction(rest):
        lease.renew()
        recording.store_rest(snapshot, rest, now)
        cursors_advance(snapshot=snapshot, fetch_plan=fetch_plan, now=now)
        position_warnings = _record_positions(snapshot, now)
    recording.count(run, snapshot, rest)
    gap = gap_read(client=client, lease=lease, clock=clock)
    report = reconcile_rest(
        context=context,
        histories_read=snapshot.histories_read,
        changed=rest.orders.touched,
        has_new_trades=gap.has_rows,
        reports=() if recording.snapshot.histories else snapshot.ended_orders,
    )
    run.groups_created, run.groups_closed = report.created, report.closed
    if recording.is_balance_accepted and not snapshot.errors:
        fills_audit(context=context)
    _log(run)

    window_ns = (started_ns, exchange_now_ns(client=client, now=clock()))
    balance_accepted, read_errors = recording.is_balance_accepted, [*snapshot.errors, *gap.errors]
    accounting_errors = _record_accounting(
        snapshot,
        client=client,
        lease=lease,
        balance_accepted=balance_accepted,
        complete=not read_errors and not client.unreadable_rows,
        window_ns=window_ns,
        now=now,
    )
    quote_errors = _record_quotes(snapshot, now=now)
    return [
        *read_errors,
        *rest_errors,
        *recording.warnings,
        *position_warnings,
        *unknown_errors,
        *report.errors,
        *accounting_errors,
        *quote_errors,
    ]


def _read_protective(fetch_run: FetchRun, now: datetime) -> tuple[AccountSnapshot, set[str]]:
    """What protection needs, and the names in it that the stored catalogue does not contain. If one of these was
    traded, the catalogue was read and stored as well; for orders and coins it is read after protection.
    """
    snapshot = fetch_protective(fetch_run=fetch_run, needs_mark=needs_mark)
    if snapshot.is_unanswered:
        snapshot = fetch_rest(fetch_run=fetch_run, snapshot=snapshot)
    if snapshot.is_unanswered:
        first = next(iter(snapshot.errors), "")
        text = f"The account could not be read. {first}".rstrip()
        raise AccountUnreadable(Sentence(text, SyncReason.ACCOUNT_UNREADABLE, cause=stored_sentence(first)))
    entries = unknown_entries()
    unknown = unknown_names(snapshot=snapshot, entries=entries)
    is_needed = not unknown.isdisjoint({*names_traded(snapshot), *entries})
    if is_needed and snapshot.instruments is None:
        snapshot = fetch_catalogue(fetch_run=fetch_run, snapshot=snapshot)
    _record_catalogue(fetch_run, snapshot, unknown, now)
    return snapshot, unknown


def _record_catalogue(
    fetch_run: FetchRun, snapshot: AccountSnapshot, unknown: set[str], now: datetime
) -> None:
    """If it was due, or brings something new: a name that stays unknown is asked for in every cycle."""
    if fetch_run.fetch_plan.with_catalogue or names_found(snapshot, unknown):
        catalogue_record(snapshot=snapshot, now=now)


class CycleRecording:
    """What a cycle writes of the account, in two parts: before it protects, and after."""

    def __init__(
        self, snapshot: AccountSnapshot, stored: Stored, changes: PendingChanges, prices: Prices | None = None
    ) -> None:
        """`prices`: what the coins are worth as far as the snapshot does not tell."""
        self.snapshot, self.changes, self._stored = snapshot, changes, stored
        self._known_prices = prices or {}
        self.balances: int | None = None
        self.warnings: list[str] = []
        try:
            self._check_balance()
        except EmptyBalance as warning:
            self.warnings.append(sentence_of(warning))

    @property
    def is_balance_accepted(self) -> bool:
        return self.snapshot.balance.is_complete and not self.warnings

    def store_protective(self, now: datetime) -> None:
        changes_store(changes=self.changes, now=now)
        entries_correct(trades=self.changes.disputes.corrected)
        self._store_balances(self.snapshot, now)

    def store_rest(self, snapshot: AccountSnapshot, rest: PendingChanges, now: datetime) -> None:
        changes_store(changes=rest, now=now)
        is_priced_now = snapshot.tickers.is_complete and not self.snapshot.tickers.is_complete
        if self.balances is None or is_priced_now:
            self._store_balances(snapshot, now)

    def count(self, run: SyncRun, snapshot: AccountSnapshot, rest: PendingChanges) -> None:
        counts = sync_counts(snapshot=self.snapshot, changes=[self.changes, rest])
        run.balances, run.open_orders = self.balances or 0, counts.open_orders
        run.executed_orders, run.trades = counts.executed_orders, counts.trades
        run.unread = frozenset(name for name, is_read in self._is_read(snapshot).items() if not is_read)

    def _is_read(self, snapshot: AccountSnapshot) -> dict[str, bool]:
        """By count of the cycle."""
        return {
            "balances": self.is_balance_accepted,
            "open_orders": snapshot.open_orders_read,
            "executed_orders": snapshot.histories_read,
            "trades": snapshot.trades.is_complete,
        }

    def _check_balance(self) -> None:
        if self.snapshot.balance.value is not None:
            balance_check(balance=self.snapshot.balance.value, stored=self._stored)

    def _store_balances(self, snapshot: AccountSnapshot, now: datetime) -> None:
        if snapshot.balance.value is not None and self.is_balance_accepted:
            self.balances = balance_record_all(
                balance=snapshot.balance.value,
                stored=self._stored,
                prices={**self._known_prices, **_prices(snapshot)},
                now=now,
            )


def _confirm_account(client: Client, now: datetime) -> list[str]:
    try:
        account_confirm(client=client, now=now)
    except ExchangeError as error:
        return [error.sentence("Account")]
    return []


def _report_unknown(snapshot: AccountSnapshot | None, now: datetime) -> list[str]:
    """What the catalogue does not contain even now; None when it contained everything."""
    unknown = unknown_names(snapshot=snapshot, entries=unknown_entries()) if snapshot else set()
    check_unknown_instruments(names=unknown, now=now)
    return [
        Sentence(
            f"{name}: the exchange's list of instruments does not contain it, so nothing of it can be protected.",
            SyncReason.NOT_IN_CATALOGUE,
            name=name,
        )
        for name in sorted(unknown)
    ]


def _record_positions(snapshot: AccountSnapshot, now: datetime) -> list[str]:
    """Derivatives, if they were requested and read: a failed read changes nothing."""
    rows = snapshot.positions.value if snapshot.positions else None
    if rows is None:
        return []
    try:
        perpetual_record_all(
            positions=rows, balance=snapshot.balance.value, prices=_prices(snapshot), now=now
        )
    except EmptyPositions as warning:
        return [sentence_of(warning)]
    return []


def _record_accounting(
    snapshot: AccountSnapshot,
    *,
    client: Client,
    lease: Lease,
    balance_accepted: bool,
    complete: bool,
    window_ns: tuple[int, int],
    now: datetime,
) -> list[str]:
    """Nothing that fails here endangers a position: the cycle reports it and continues."""
    rate_errors: list[str] = []
    try:
        balance, is_priced = snapshot.balance.value, snapshot.tickers.is_complete
        if balance is not None and balance_accepted and is_priced:
            snapshot_value_record(balance=balance, prices=_prices(snapshot), now=now)
        cursor = cost_update(lease=lease)
        if cursor is not None:
            rates = current_rates(_prices(snapshot), now_ns=window_ns[1])
            cursor, rate_errors = _record_rates(cursor, client=client, lease=lease, rates=rates)
        if cursor is not None and balance_accepted and complete:
            prices = _prices(snapshot)
            drift_compare(
                snapshot=snapshot, cursor=cursor, prices=prices, window_ns=window_ns, lease=lease, now=now
            )
    except LeaseLost:
        raise
    except Exception:
        logger.exception("Exchange sync: value and cost could not be recorded")
        text = "What the account is worth and has cost could not be recorded. The log has the details."
        return [Sentence(text, SyncReason.VALUE_NOT_RECORDED)]
    return rate_errors


def _record_rates(
    cursor: CostCursor, *, client: Client, lease: Lease, rates: UsdRates
) -> tuple[CostCursor | None, list[str]]:
    """Rates that trades wait for; one that cannot be read now is asked for again in the next cycle."""
    try:
        is_new = trade_rates_update(client=client, cursor=cursor, lease=lease, rates=rates)
    except ExchangeError as error:
        return cursor, [error.sentence("Rates of past trades")]
    return cost_update(lease=lease) if is_new else cursor, []


def _record_quotes(snapshot: AccountSnapshot, *, now: datetime) -> list[str]:
    """The prices of the watchlist. A failure here endangers no position either."""
    try:
        followed = frozenset(instruments_followed())
        tickers = [row for row in snapshot.tickers.value or () if row.instrument_name in followed]
        quote_record_all(tickers=tickers, now=now)
    except Exception:
        logger.exception("Exchange sync: prices could not be recorded")
        text = "The prices of the watchlist could not be recorded. The log has the details."
        return [Sentence(text, SyncReason.WATCHLIST_NOT_RECORDED)]
    return []


def _prices(snapshot: AccountSnapshot) -> Prices:
    return prices_from_tickers({ticker.instrument_name: ticker for ticker in snapshot.tickers.value or ()})


def _log(run: SyncRun) -> None:
    for field, what in (
        ("balances", "balances"),
        ("open_orders", "open orders"),
        ("executed_orders", "executed orders"),
    ):
        if field in run.unread:
            logger.warning("Exchange sync: %s could not be read", what)
        else:
            logger.info("Exchange sync: synced %d %s", getattr(run, field), what)
