"""Requests of users: protect a position, remove protection, change the prices of a failed stop."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from exchange.core.reasons import reason
from exchange.fields import format_decimal
from exchange.models import AuditEntry, Instrument
from exchange.services.audit_log import audit_record
from exchange.services.lease import Lease, lease_take
from exchange.services.permissions import Right, require
from oco.engine.pricing import ExitSide
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import State, is_final
from oco.engine.types import Role
from oco.labels import state_label
from oco.models import POSSIBLY_OPEN, Lot, OcoEvent, OcoGroup, OcoLeg
from oco.services.validation import (
    AccountContext,
    NotPossible,
    account_validate,
    request_validate,
    tradable_instrument,
)

Action = AuditEntry.Action


def group_create(
    *,
    instrument_name: str,
    quantity: Decimal,
    stop_price: Decimal,
    take_profit_price: Decimal | None,
    requested_by: str,
    now: datetime,
    account_context: AccountContext | None = None,
    idempotency_key: str | None = None,
) -> OcoGroup:
    """Protect held coins, whatever their origin. `account_context` is the account as last read.

    The same `idempotency_key` returns the first group. Raises NotPossible (Blocked), PermissionDenied.
    """
    require(Right.TRADE)
    known = OcoGroup.objects.filter(idempotency_key=idempotency_key).first() if idempotency_key else None
    if known is not None:
        return known
    instrument = tradable_instrument(instrument_name)
    request_validate(instrument=instrument, quantity=quantity, stop=stop_price, target=take_profit_price)
    with transaction.atomic():
        if account_context is not None:
            account_validate(
                instrument=instrument,
                quantity=quantity,
                stop=stop_price,
                target=take_profit_price,
                account_context=account_context,
            )
        return _create(
            instrument, quantity, stop_price, take_profit_price, requested_by, now, idempotency_key
        )


def _create(
    instrument: Instrument,
    quantity: Decimal,
    stop: Decimal,
    target: Decimal | None,
    requested_by: str,
    now: datetime,
    idempotency_key: str | None,
) -> OcoGroup:
    lot = Lot.objects.create(
        instrument_name=instrument.symbol,
        base_ccy=instrument.base_ccy,
        first_trade_id=f"person-{uuid4()}",
        bought=quantity,
        dust=Decimal(0),
        by_person=True,
        opened_at=now,
    )
    group = OcoGroup.objects.create(
        lot=lot,
        generation=0,
        instrument_name=instrument.symbol,
        quantity=quantity,
        stop_price=stop,
        take_profit_price=target,
        state_since=now,
        uncovered_since=now,
        created_at=now,
        requested_by=requested_by,
        idempotency_key=idempotency_key,
    )
    OcoEvent.record(group=group, at=now, old="", reason=reason(ReasonCode.REQUESTED, name=requested_by))
    goal = "no target" if target is None else f"target {format_decimal(target)}"
    words = f"{format_decimal(quantity)} {instrument.symbol}, stop {format_decimal(stop)}, {goal}"
    audit_record(actor=requested_by, what=Action.PROTECT, object_ids=[group.pk], text=words)
    return group


def group_cancel(*, group_id: UUID, requested_by: str, now: datetime) -> OcoGroup:
    """Request removal of protection. Raises NotPossible if it has ended, PermissionDenied; a second request changes
    nothing.
    """
    require(Right.MANAGE)
    with transaction.atomic():
        group = OcoGroup.objects.select_for_update().get(pk=group_id)
        if is_final(group.state):
            words = _("This protection is already closed (%(state)s).") % {
                "state": state_label(group.shown_state, group.lot.exit_side)
            }
            raise NotPossible(words)
        if group.cancel_requested_at is None:
            group.cancel_requested_at, group.cancel_requested_by = now, requested_by
            group.save(update_fields=["cancel_requested_at", "cancel_requested_by"])
            why = reason(ReasonCode.RELEASE_REQUESTED, side=group.lot.exit_side, name=requested_by)
            OcoEvent.record(group=group, at=now, old=group.state, reason=why)
            what, words = (
                Action.CANCEL_PROTECTION,
                f"{group.instrument_name} {group.quantity} {group.shown_state}",
            )
            audit_record(actor=requested_by, what=what, object_ids=[group.pk], text=words)
    return group


Status = OcoLeg.Status
STEPS, STEP_SECONDS = 30, 0.1
REPRICE_PURPOSE = "prices"  # held briefly, so that a due cycle waits


@contextmanager
def reprice_lease(*, sleep: Callable[[float], None] = time.sleep) -> Iterator[Lease]:
    """No cycle runs during the block; waits briefly for a running one. Raises NotPossible."""
    for _step in range(STEPS):
        lease = lease_take(purpose=REPRICE_PURPOSE)
        if lease is not None:
            break
        sleep(STEP_SECONDS)
    else:
        words = _("The worker is updating this account right now. Nothing was changed: try again.")
        raise NotPossible(words)
    try:
        yield lease
    finally:
        lease.release()


def group_reprice(
    *,
    lease: Lease,
    group_id: UUID,
    stop_price: Decimal,
    take_profit_price: Decimal | None,
    requested_by: str,
    now: datetime,
) -> OcoGroup:
    """New stop and target for a group whose stop failed; its lot and entry price stay.

    Needs the lease (`reprice_lease`): a cycle that has read the old prices would place those while the new
    ones are shown. Raises NotPossible, PermissionDenied.
    """
    require(Right.TRADE)
    with transaction.atomic():
        lease.renew()
        group = OcoGroup.objects.select_for_update().get(pk=group_id)
        _check(group, stop_price, take_profit_price)
        return _reprice(group, stop_price, take_profit_price, requested_by, now)


def _check(group: OcoGroup, stop: Decimal, target: Decimal | None) -> None:
    if group.state != State.STOP_FAILED or group.cancel_requested_at is not None:
        raise NotPossible(_("Prices can only be changed for a failed stop. Check its status again."))
    if group.lot.exit_side is ExitSide.BUY:
        raise NotPossible(_("The prices of a buy-back cannot be changed. Remove it, or buy manually."))
    if group.legs.filter(order_role=Role.STOP_LOSS, status__in=POSSIBLY_OPEN).exists():
        raise NotPossible(_("A stop of this group may be open on the exchange. Wait for the next cycle."))
    instrument = tradable_instrument(group.instrument_name)
    request_validate(instrument=instrument, quantity=group.quantity, stop=stop, target=target)


def _reprice(
    group: OcoGroup, stop: Decimal, target: Decimal | None, requested_by: str, now: datetime
) -> OcoGroup:
    group.stop_price, group.take_profit_price = stop, target
    group.save(update_fields=["stop_price", "take_profit_price"])
    if target is None:
        why = reason(ReasonCode.PRICES_CHANGED_STOP_ONLY, name=requested_by, stop=stop)
    else:
        why = reason(ReasonCode.PRICES_CHANGED, name=requested_by, stop=stop, target=target)
    OcoEvent.record(group=group, at=now, old=group.state, reason=why)
    audit_record(actor=requested_by, what=AuditEntry.Action.REPRICE, object_ids=[group.pk], reason=why)
    return group
