"""What the next cycle would do: decided on a fresh read of the account, and rolled back."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from exchange.client.client import Client
from exchange.services.lease import Lease
from exchange.services.runs import account_check
from exchange.sync.fetch import AccountSnapshot, Clock, FetchPlan, fetch_account
from exchange.sync.store import catalogue_record, prepare_changes, single_transaction, snapshot_record
from exchange.sync.windows import exchange_now_ns, next_fetch_plan
from oco.engine.rules import decide
from oco.engine.types import Plan, RequestPrice
from oco.models import OcoGroup
from oco.policies import needs_mark
from oco.reconcile.context import CycleContext, ReadResult, cycle_context_build, read_result_of
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


def read_account(*, client: Client, clock: Clock) -> AccountRead:
    """All reads of a cycle. A balance without any coin is not accepted here (rule 11)."""
    now = clock()
    fetch_plan, started_ns = next_fetch_plan(client=client, now=now), exchange_now_ns(client=client, now=now)
    snapshot = fetch_account(client=client, fetch_plan=fetch_plan, clock=clock, needs_mark=needs_mark)
    accepted = snapshot.balance.value is not None and bool(snapshot.balance.value.positions)
    reads = read_result_of(snapshot, started_ns=started_ns, started_at=now, balance_accepted=accepted)
    return AccountRead(fetch_plan, snapshot, reads)


def preview_cycle(*, client: Client, lease: Lease, account: AccountRead, clock: Clock) -> list[PlannedGroup]:
    """The plan for every group. Prices that a decision requests are read outside the transaction."""
    context = cycle_context_build(client=client, lease=lease, reads=account.reads, clock=clock)
    for _ in range(MAX_REQUESTS):
        found = _decide_and_roll_back(context, account, lease, clock)
        requests = _price_requests(found)
        for group, request in requests:
            sample_price(context=context, group=group, request=request)
        if not requests:
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
        found = [
            PlannedGroup(
                group,
                decide(
                    desired_of(group, groups_snapshot, context), observed_of(group, groups_snapshot, context)
                ),
            )
            for group in groups_snapshot.groups
        ]
        transaction.set_rollback(True)
    return found


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
