"""Cancel everything: every open order of both name spaces, whoever sent it, until none is left."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchange.client.client import Client
from exchange.client.errors import ExchangeError
from exchange.core.instrument_names import base_of
from exchange.core.order_roles import STOPS
from exchange.schemas import NameSpace, Order, Ticker
from exchange.services.lease import Held
from exchange.services.order_execution import Answer, Outcome, family_cancel, order_cancel
from oco.engine.allocation import Foreign, committed
from oco.reconcile.prices import usd_of
from oco.selectors import groups_open
from oco.services.groups import group_cancel
from oco.services.validation import NotPossible

LOOKS = 45  # before it is given up
AGAIN = 15  # looks until an order that is still there is asked for again: a cancel may take its time
PAUSE_SECONDS = 2
SURE = 2  # empty looks in a row: an order that was just accepted is not listed yet (dossier 3.2)


@dataclass(frozen=True, slots=True)
class Naked:
    """Coins that a stop covers now. `value_usd` is None where no price is known."""

    currency: str
    quantity: Decimal
    value_usd: Decimal | None


def orders_read(client: Client) -> list[Order]:
    """Every open order, in both name spaces. Raises ExchangeError."""
    return [order for name_space in NameSpace for order in client.open_orders(name_space)]


def naked_without(orders: Sequence[Order], tickers: Mapping[str, Ticker]) -> list[Naked]:
    """What would have no stop any more if all these orders went."""
    covered = {currency: each.covered for currency, each in committed(map(_commitment, orders)).items()}
    return [
        Naked(currency, quantity, _value(quantity, usd_of(currency, tickers)))
        for currency, quantity in sorted(covered.items())
        if quantity
    ]


def _commitment(order: Order) -> Foreign:
    sells = order.side == "SELL"
    return Foreign(
        order_id=order.order_id,
        list_id=order.list_id,
        currency=base_of(order.instrument_name),
        quantity=(order.quantity or Decimal()) - order.cumulative_quantity if sells else Decimal(),
        is_stop=sells and order.order_type in STOPS,
    )


def _value(quantity: Decimal, price: Decimal | None) -> Decimal | None:
    return None if price is None else quantity * price


def group_release_all(*, requested_by: str, now: datetime) -> int:
    """Whoever cancels everything releases every group: none of them may bring its orders back. How many."""
    groups = list(groups_open())
    for group in groups:
        try:
            group_cancel(group_id=group.pk, requested_by=requested_by, now=now)
        except NotPossible:  # it ended in this very moment
            continue
    return len(groups)


def order_cancel_all(
    *, client: Client, held: Held, sleep: Callable[[float], None], say: Callable[[str], None]
) -> bool:
    """Ask for all at once, then look until twice in a row none is open; whether so. Raises LeaseLost."""
    asked: dict[str, int] = {}
    empty = 0
    for look in range(LOOKS):
        left = _left(client, say)
        empty = 0 if left or left is None else empty + 1
        if empty == SURE:
            return True
        due = [order for order in left or () if look - asked.get(order.order_id, -LOOKS) >= AGAIN]
        for answer in _ask(client, held, due, one_by_one=bool(asked)):
            if answer.outcome not in (Outcome.ACCEPTED, Outcome.TOO_LATE):
                say(answer.text)
        asked |= {order.order_id: look for order in due}
        sleep(PAUSE_SECONDS)
    return False


def _left(client: Client, say: Callable[[str], None]) -> list[Order] | None:
    """What is still open, or None when that cannot be read."""
    try:
        left = orders_read(client)
    except ExchangeError as error:
        say(str(error))
        return None
    if left:
        say(f"{len(left)} open.")
    return left


def _ask(client: Client, held: Held, due: Sequence[Order], *, one_by_one: bool) -> Iterator[Answer]:
    if one_by_one:
        for order in due:
            yield order_cancel(client=client, held=held, name_space=order.name_space, order_id=order.order_id)
    else:
        for name_space in sorted({order.name_space for order in due}):
            yield family_cancel(client=client, held=held, name_space=name_space)
