"""Protection asked for and taken away by a person."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from exchange.fields import plain
from exchange.models import AuditEntry, Instrument
from exchange.services.audit_log import audit_record
from oco.engine.states import is_final
from oco.event import OcoEvent
from oco.group import OcoGroup
from oco.lot import Lot
from oco.services.refusal import NotPossible
from oco.services.wishes import Standing, instrument_of, standing_check, wish_check

What = AuditEntry.What


def group_create(
    *,
    instrument_name: str,
    quantity: Decimal,
    stop_price: Decimal,
    take_profit_price: Decimal | None,
    requested_by: str,
    now: datetime,
    standing: Standing | None = None,
    idempotency_key: str | None = None,
) -> OcoGroup:
    """Protect coins that are held, for whatever reason they are. `standing` is the account as last read.

    The same `idempotency_key` returns the first group. Raises NotPossible.
    """
    known = OcoGroup.objects.filter(idempotency_key=idempotency_key).first() if idempotency_key else None
    if known is not None:
        return known
    instrument = instrument_of(instrument_name)
    wish_check(instrument=instrument, quantity=quantity, stop=stop_price, target=take_profit_price)
    with transaction.atomic():
        if standing is not None:
            standing_check(
                instrument=instrument,
                quantity=quantity,
                stop=stop_price,
                target=take_profit_price,
                standing=standing,
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
    OcoEvent.objects.create(group=group, at=now, new=group.state, reason=f"Asked for by {requested_by}.")
    goal = "no target" if target is None else f"target {plain(target)}"
    words = f"{plain(quantity)} {instrument.symbol}, stop {plain(stop)}, {goal}"
    audit_record(actor=requested_by, what=What.PROTECT, object_ids=[group.pk], text=words)
    return group


def group_cancel(*, group_id: UUID, requested_by: str, now: datetime) -> OcoGroup:
    """Take the protection away. Raises NotPossible when it has ended already; asking twice changes nothing."""
    with transaction.atomic():
        group = OcoGroup.objects.select_for_update().get(pk=group_id)
        if is_final(group.state):
            words = _("This protection has ended already (%(state)s).") % {"state": group.state}
            raise NotPossible(words)
        if group.cancel_requested_at is None:
            group.cancel_requested_at, group.cancel_requested_by = now, requested_by
            group.save(update_fields=["cancel_requested_at", "cancel_requested_by"])
            reason = f"{requested_by} asked to take the {group.lot.way.name_of_pair} away."
            OcoEvent.objects.create(group=group, at=now, old=group.state, new=group.state, reason=reason)
            what = What.CANCEL_PROTECTION
            audit_record(actor=requested_by, what=what, object_ids=[group.pk], text=str(group))
    return group
