"""The kill switch (rule 13), a row for everyone and a file that holds when the database does not; and cancelling every
open order in both name spaces, our own and external, until none is left.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from exchange.client.client import Client
from exchange.client.errors import ExchangeError
from exchange.core.instrument_names import base_of
from exchange.models import AuditEntry, TradingSwitch
from exchange.schemas import NameSpace, Order, Ticker
from exchange.schemas.orders import STOP_ORDER_TYPES
from exchange.services.audit_log import audit_record
from exchange.services.kill_switch_file import file_clear, file_name, file_set
from exchange.services.lease import Lease
from exchange.services.order_execution import Outcome, SubmitResult, cancel_all_orders, order_cancel
from exchange.services.permissions import Right, require
from oco.engine.allocation import ExternalOrder, reserve
from oco.engine.pricing import usd_of
from oco.selectors import groups_open
from oco.services.groups import group_cancel
from oco.services.validation import NotPossible

logger = logging.getLogger(__name__)
MAX_CHECKS = 45  # then give up
RETRY_AFTER_CHECKS = 15  # checks before a cancel is sent again: a cancel may take time
PAUSE_SECONDS = 2
CONFIRMATIONS = 2  # empty checks in a row: an order just accepted is not listed yet (dossier 3.2)


# The switch


def stop_trading(*, changed_by: str, now: datetime, reason: str = "") -> TradingSwitch:
    """From now on no process creates orders (rule 13). Raises PermissionDenied.

    The file comes first: when the database then raises its Error, trading is off on this machine all the same.
    """
    require(Right.MANAGE)
    try:
        file_set(name=changed_by)
    except OSError as error:
        return _switch_without_file(error, changed_by=changed_by, now=now, reason=reason)
    return _switch(is_off=True, changed_by=changed_by, now=now, reason=reason)


def resume_trading(*, changed_by: str, now: datetime, reason: str = "") -> TradingSwitch:
    """Turn trading back on: needs a user, whose name is recorded (rule 13). Raises PermissionDenied, NotPossible."""
    require(Right.MANAGE)
    if not changed_by:
        raise NotPossible(_("Only a user can turn trading back on."), field="changed_by")
    with transaction.atomic():
        switch = _switch(is_off=False, changed_by=changed_by, now=now, reason=reason)
        try:
            file_clear()
        except OSError as error:
            words = _("The file of the kill switch cannot be removed (%(error)s). Trading stays off.")
            raise NotPossible(words % {"error": error.strerror}) from None
    return switch


def trading_is_stopped() -> bool:
    """By the row or by the file; the settings can turn trading off too. Raises the Error of the database."""
    return file_name() is not None or TradingSwitch.objects.filter(is_off=True).exists()


def switch_store_file(*, now: datetime) -> None:
    """Store what was turned off while the database could not be written, so that every machine and page knows."""
    name = file_name()
    if name is not None and not TradingSwitch.objects.filter(is_off=True).exists():
        _switch(is_off=True, changed_by=name, now=now, reason="kill switch file")


def _switch_without_file(error: OSError, *, changed_by: str, now: datetime, reason: str) -> TradingSwitch:
    # The row alone is enough while the database works.
    switch = _switch(is_off=True, changed_by=changed_by, now=now, reason=reason)
    logger.warning("The kill switch is on, but has no file (%s): it ends with the database", error.strerror)
    return switch


def _switch(*, is_off: bool, changed_by: str, now: datetime, reason: str) -> TradingSwitch:
    what = AuditEntry.Action.SWITCH_OFF if is_off else AuditEntry.Action.SWITCH_ON
    with transaction.atomic():
        switch, _made = TradingSwitch.objects.update_or_create(
            only=True,
            defaults={"is_off": is_off, "changed_at": now, "changed_by": changed_by, "reason": reason},
        )
        audit_record(actor=changed_by, what=what, text=reason)
    return switch


# Cancel everything


@dataclass(frozen=True, slots=True)
class UnprotectedCoin:
    """Coins that a stop covers now. `value_usd` is None when no price is known."""

    currency: str
    quantity: Decimal
    value_usd: Decimal | None


def open_orders_read(client: Client) -> list[Order]:
    """Every open order, in both name spaces. Raises ExchangeError."""
    return [order for name_space in NameSpace for order in client.open_orders(name_space)]


def unprotected_after_cancel(orders: Sequence[Order], tickers: Mapping[str, Ticker]) -> list[UnprotectedCoin]:
    """The coins that lose their stop if all these orders are cancelled."""
    covered = {currency: each.covered for currency, each in reserve(map(_external_order, orders)).items()}
    return [
        UnprotectedCoin(currency, quantity, _value(quantity, usd_of(currency, tickers)))
        for currency, quantity in sorted(covered.items())
        if quantity
    ]


def _external_order(order: Order) -> ExternalOrder:
    sells = order.side == "SELL"
    return ExternalOrder(
        order_id=order.order_id,
        list_id=order.list_id,
        currency=base_of(order.instrument_name),
        quantity=(order.quantity or Decimal()) - order.cumulative_quantity if sells else Decimal(),
        is_stop=sells and order.order_type in STOP_ORDER_TYPES,
    )


def _value(quantity: Decimal, price: Decimal | None) -> Decimal | None:
    return None if price is None else quantity * price


def release_all_groups(*, requested_by: str, now: datetime) -> int:
    """Request the removal of every group, so that none places its orders again. Returns their number."""
    groups = list(groups_open())
    for group in groups:
        try:
            group_cancel(group_id=group.pk, requested_by=requested_by, now=now)
        except NotPossible:  # ended in the meantime
            continue
    return len(groups)


def cancel_until_none_open(
    *, client: Client, lease: Lease, sleep: Callable[[float], None], report: Callable[[str], None]
) -> bool:
    """Cancel all at once, then check until two checks in a row find none; whether so. Raises LeaseLost."""
    requested_at: dict[str, int] = {}
    empty = 0
    for check in range(MAX_CHECKS):
        remaining = _remaining_orders(client, report)
        empty = 0 if remaining or remaining is None else empty + 1
        if empty == CONFIRMATIONS:
            return True
        due = [
            order
            for order in remaining or ()
            if check - requested_at.get(order.order_id, -MAX_CHECKS) >= RETRY_AFTER_CHECKS
        ]
        for answer in _cancel(client, lease, due, one_by_one=bool(requested_at)):
            if answer.outcome not in (Outcome.ACCEPTED, Outcome.TOO_LATE):
                report(answer.error or "")
        requested_at |= {order.order_id: check for order in due}
        sleep(PAUSE_SECONDS)
    return False


def _remaining_orders(client: Client, report: Callable[[str], None]) -> list[Order] | None:
    """The open orders, or None when they cannot be read."""
    try:
        remaining = open_orders_read(client)
    except ExchangeError as error:
        report(str(error))
        return None
    if remaining:
        report(f"{len(remaining)} open.")
    return remaining


def _cancel(
    client: Client, lease: Lease, due: Sequence[Order], *, one_by_one: bool
) -> Iterator[SubmitResult]:
    if one_by_one:
        for order in due:
            yield order_cancel(
                client=client, lease=lease, name_space=order.name_space, order_id=order.order_id
            )
    else:
        for name_space in sorted({order.name_space for order in due}):
            yield cancel_all_orders(client=client, lease=lease, name_space=name_space)
