"""What a person may ask for: protect, release, switch trading off and on. The worker does it in its next cycle."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from django.db import transaction

from exchange.models import Instrument, TradingSwitch
from oco.models import Lot, OcoEvent, OcoGroup
from oco.pricing import Grid, is_placeable, whole_lots
from oco.states import is_final

SPOT = "CCY_PAIR"


class NotPossible(ValueError):
    """What was asked cannot be done; the words are for the person. `field` names what to change."""

    def __init__(self, words: str, *, field: str = "") -> None:
        super().__init__(words)
        self.field = field


def group_create(
    *,
    instrument_name: str,
    quantity: Decimal,
    stop_price: Decimal,
    take_profit_price: Decimal | None,
    requested_by: str,
    now: datetime,
    held: Decimal | None = None,
    idempotency_key: str | None = None,
) -> OcoGroup:
    """Protect coins that are held, for whatever reason they are. `held` is what the account has of them.

    The same `idempotency_key` returns the first group. Raises NotPossible.
    """
    known = OcoGroup.objects.filter(idempotency_key=idempotency_key).first() if idempotency_key else None
    if known is not None:
        return known
    instrument = Instrument.objects.filter(symbol=instrument_name, inst_type=SPOT, tradable=True).first()
    if instrument is None:
        raise NotPossible(f"{instrument_name} is not a tradable spot pair.", field="instrument_name")
    _check(instrument, quantity, stop_price, take_profit_price)
    with transaction.atomic():
        if held is not None:
            _check_held(instrument, quantity, held)
        return _create(
            instrument, quantity, stop_price, take_profit_price, requested_by, now, idempotency_key
        )


def _check(instrument: Instrument, quantity: Decimal, stop: Decimal, target: Decimal | None) -> None:
    grid = Grid(price_tick=instrument.price_tick_size, quantity_tick=instrument.qty_tick_size, quote_usd=None)
    for field, value, tick in (
        ("quantity", quantity, grid.quantity_tick),
        ("stop_price", stop, grid.price_tick),
        ("take_profit_price", target, grid.price_tick),
    ):
        if value is not None and (value <= 0 or whole_lots(value, tick) != value):
            raise NotPossible(f"It must be a positive multiple of {tick:f}.", field=field)
    if target is not None and target <= stop:
        raise NotPossible("The target must lie above the stop.", field="take_profit_price")
    if instrument.quote_ccy == "USD":
        grid = Grid(price_tick=grid.price_tick, quantity_tick=grid.quantity_tick)
    if not is_placeable(quantity, stop, grid):
        raise NotPossible("The exchange takes no order below 1 USD.", field="quantity")


def _check_held(instrument: Instrument, quantity: Decimal, held: Decimal) -> None:
    owned = (lot.owned for lot in Lot.objects.filter(base_ccy=instrument.base_ccy, closed_at=None))
    free = held - sum(owned, Decimal(0))
    if quantity > free:
        raise NotPossible(
            f"Only {max(free, Decimal(0)):f} {instrument.base_ccy} have no protection yet.", field="quantity"
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
    return group


def group_cancel(*, group_id: UUID, requested_by: str, now: datetime) -> OcoGroup:
    """Take the protection away. Raises NotPossible when it has ended already; asking twice changes nothing."""
    with transaction.atomic():
        group = OcoGroup.objects.select_for_update().get(pk=group_id)
        if is_final(group.state):
            raise NotPossible(f"This protection has ended already ({group.state}).")
        if group.cancel_requested_at is None:
            group.cancel_requested_at, group.cancel_requested_by = now, requested_by
            group.save(update_fields=["cancel_requested_at", "cancel_requested_by"])
            reason = f"{requested_by} asked to take the protection away."
            OcoEvent.objects.create(group=group, at=now, old=group.state, new=group.state, reason=reason)
    return group


def switch_off(*, changed_by: str, now: datetime, reason: str = "") -> TradingSwitch:
    """The kill switch: no order is created by any process from now on (rule 13)."""
    return _switch(is_off=True, changed_by=changed_by, now=now, reason=reason)


def switch_on(*, changed_by: str, now: datetime, reason: str = "") -> TradingSwitch:
    """Trading again: needs a person, whose name is kept (rule 13)."""
    if not changed_by:
        raise NotPossible("Turning trading on again needs a person.", field="changed_by")
    return _switch(is_off=False, changed_by=changed_by, now=now, reason=reason)


def _switch(*, is_off: bool, changed_by: str, now: datetime, reason: str) -> TradingSwitch:
    switch, _ = TradingSwitch.objects.update_or_create(
        only=True,
        defaults={"is_off": is_off, "changed_at": now, "changed_by": changed_by, "reason": reason},
    )
    return switch
