"""Who may sell how much of a coin (pure, rules 2 and 10).

Orders of others come first, then our lots, oldest first: what is missing is missing to the newest lot, whose
coins a lagging balance shows last.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

ZERO = Decimal(0)
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalOrder:
    """An open order that is not ours: what it can still take of `currency`. Linked orders take it once.

    Of a stop its trigger price, where that is known, in the `quote` currency.
    """

    order_id: str
    list_id: str
    currency: str
    quantity: Decimal
    is_stop: bool
    trigger: Decimal | None = None
    limit: Decimal | None = None
    quote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalStop:
    """Cover by others: so many coins would be sold at `price`, None where that is not known.

    `target` is the limit of the sale that is linked with it.
    """

    quantity: Decimal
    price: Decimal | None
    quote: str
    target: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalReservation:
    """Of one currency: what foreign orders may take, and what of that their `stops` cover."""

    total: Decimal = ZERO
    stops: tuple[ExternalStop, ...] = ()

    @property
    def covered(self) -> Decimal:
        return sum((stop.quantity for stop in self.stops), ZERO)

    @property
    def reserved_without_stop(self) -> Decimal:
        """Behind a bare resting order: neither ours to sell nor protected."""
        return self.total - self.covered


@dataclass(frozen=True, slots=True, kw_only=True)
class Sellable:
    """What a lot may sell now, and what of it is no longer in the account at all."""

    allowed: Decimal
    missing: Decimal


def reserve(orders: Iterable[ExternalOrder]) -> dict[str, ExternalReservation]:
    """By currency. Of the legs of one list the largest counts, as cover if any leg is a stop."""
    lists: dict[tuple[str, str], list[ExternalOrder]] = {}
    for order in orders:
        lists.setdefault((order.list_id or f"order {order.order_id}", order.currency), []).append(order)
    found: dict[str, ExternalReservation] = {}
    for (_, currency), legs in lists.items():
        quantity, before = max(leg.quantity for leg in legs), found.get(currency, ExternalReservation())
        target = next((leg.limit for leg in legs if not leg.is_stop), None)
        stops = [
            ExternalStop(quantity=quantity, price=leg.trigger, quote=leg.quote, target=target)
            for leg in legs
            if leg.is_stop
        ]
        found[currency] = ExternalReservation(
            total=before.total + quantity, stops=(*before.stops, *stops[:1])
        )
    return found


def allocate_to_lots(
    *, holdings: Decimal, reserved: Decimal, lots: Sequence[tuple[K, Decimal]]
) -> Mapping[K, Sellable]:
    """Shares of `lots` (key, owned), oldest first, when the account holds `held` and others may take `taken`."""
    sellables: dict[K, Sellable] = {}
    here, free = max(holdings, ZERO), max(holdings - reserved, ZERO)
    for key, owned in lots:
        present, allowed = min(owned, here), min(owned, free)
        sellables[key] = Sellable(allowed=allowed, missing=owned - present)
        here, free = here - present, free - allowed
    return sellables
