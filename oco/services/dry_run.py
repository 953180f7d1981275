"""What the next cycle would do: decided on a fresh read of the account, and rolled back."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from exchange.client.client import Client
from exchange.models import Trade
from exchange.services.lease import Lease
from exchange.services.runs import account_check
from exchange.sync.fetch import AccountSnapshot, Clock, FetchPlan, fetch_account
from exchange.sync.store import catalogue_record, prepare_changes, single_transaction, snapshot_record
from exchange.sync.windows import exchange_now_ns, next_fetch_plan
from oco.engine.rules import decide
from oco.engine.types import ConfirmEntry, Plan, RequestPrice
from oco.models import OcoGroup
from oco.policies import needs_mark
from oco.reconcile.context import CycleContext, ReadResult, cycle_context_build, lot_key, read_result_of
from oco.reconcile.lookup import fills_to_confirm, orders_agree
from oco.reconcile.loop import (
    MAX_REQUESTS,
    CycleReport,
    desired_of,
    first_round_prepare,
    groups_snapshot_read,
    observed_of,
    reconcile,
    sample_price,
)


@dataclass(frozen=True, slots=True)
class AccountRead:
    """One read of the account, not stored yet."""

    fetch_plan: FetchPlan
    snapshot: AccountSnapshot
    reads: ReadResult


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """A group as it is, or as it would be opened, and the first action that would follow."""

    group: OcoGroup
    plan: Plan
    to_confirm: Sequence[Trade] = ()


def read_account(*, client: Client, clock: Clock) -> AccountRead:
    """All reads of a cycle. A balance without any coin is not accepted here (rule 11)."""
    now = clock()
    fetch_plan, started_ns = next_fetch_plan(client=client, now=now), exchange_now_ns(client=client, now=now)
    snapshot = fetch_account(client=client, fetch_plan=fetch_plan, clock=clock, needs_mark=needs_mark)
    accepted = snapshot.balance.value is not None and bool(snapshot.balance.value.positions)
    reads = read_result_of(snapshot, started_ns=started_ns, started_at=now, balance_accepted=accepted)
    return AccountRead(fetch_plan, snapshot, reads)


def preview_cycle(*, client: Client, lease: Lease, account: AccountRead, clock: Clock) -> list[PlannedGroup]:
    """The plan for every group. Prices and orders that a decision requests are read outside the transaction."""
    context = cycle_context_build(client=client, lease=lease, reads=account.reads, clock=clock)
    context.instruments_read = True  # by `read_account` if due
    for _ in range(MAX_REQUESTS):
        found = _decide_and_roll_back(context, account, lease, clock)
        requests, unconfirmed = _price_requests(found), [each for each in found if _asks_for_order(each.plan)]
        for group, request in requests:
            sample_price(context=context, group=group, request=request)
        for each in unconfirmed:
            agrees = orders_agree(context=context, fills=each.to_confirm)
            context.entries_confirmed[lot_key(each.group.lot)] = agrees
        if not requests and not unconfirmed:
            break
    return found


def _decide_and_roll_back(
    context: CycleContext, account: AccountRead, lease: Lease, clock: Clock
) -> list[PlannedGroup]:
    """A cycle up to its first decisions, rolled back."""
    with transaction.atomic():
        _record(account, lease, clock)
        first_round_prepare(context=context)
        groups_snapshot = groups_snapshot_read(context=context)
        found = []
        for group in groups_snapshot.groups:
            observed = observed_of(group, groups_snapshot, context)
            plan = decide(desired_of(group, groups_snapshot, context), observed)
            asks = _asks_for_order(plan)
            fills = fills_to_confirm(context=context, lot=group.lot) if asks else []
            found.append(PlannedGroup(group, plan, fills))
        transaction.set_rollback(True)
    return found


def _asks_for_order(plan: Plan) -> bool:
    return any(isinstance(action, ConfirmEntry) for action in plan.actions)


def _price_requests(found: Sequence[PlannedGroup]) -> list[tuple[OcoGroup, RequestPrice]]:
    """The prices to read next; one sample of a market serves all its groups."""
    wanted_prices = [
        (each.group, action)
        for each in found
        for action in each.plan.actions
        if isinstance(action, RequestPrice)
    ]
    return list(
        {
            (group.instrument_name, request.since): (group, request) for group, request in wanted_prices
        }.values()
    )


def apply_cycle(*, client: Client, lease: Lease, account: AccountRead, clock: Clock) -> CycleReport:
    """Carry out one cycle of protection: store what was read, then decide and act."""
    account_check(client=client, now=clock())
    _record(account, lease, clock)
    context = cycle_context_build(client=client, lease=lease, reads=account.reads, clock=clock)
    return reconcile(context=context)


def _record(account: AccountRead, lease: Lease, clock: Clock) -> None:
    now = clock()
    catalogue_record(snapshot=account.snapshot, now=now)
    changes = prepare_changes(snapshot=account.snapshot, now=now)
    with single_transaction(changes):
        lease.renew()
        snapshot_record(snapshot=account.snapshot, changes=changes, fetch_plan=account.fetch_plan, now=now)
