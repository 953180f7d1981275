"""How much of a coin each party may sell (pure, rules 2 and 10).

External orders come first, then our lots, oldest first: a shortfall falls on the newest lot, because a
lagging balance shows its coins last.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

ZERO = Decimal(0)
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalOrder:
    """An open external order: how much of `currency` it can still take. Linked orders take it once.

    A stop also has its trigger price, if known, in the `quote` currency.
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
    """Coverage by an external stop: `quantity` would be sold at `price` (None: unknown).

    `target` is the limit of the sell order linked with it.
    """

    quantity: Decimal
    price: Decimal | None
    quote: str
    target: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalReservation:
    """Per currency: the quantity that external orders reserve, and the part of it that `stops` cover."""

    total: Decimal = ZERO
    stops: tuple[ExternalStop, ...] = ()

    @property
    def covered(self) -> Decimal:
        return sum((stop.quantity for stop in self.stops), ZERO)

    @property
    def reserved_without_stop(self) -> Decimal:
        """Reserved by an open order without a stop: neither ours to sell nor protected."""
        return self.total - self.covered


@dataclass(frozen=True, slots=True, kw_only=True)
class Sellable:
    """The quantity a lot may sell now, and the quantity that is no longer in the account."""

    allowed: Decimal
    missing: Decimal


def reserve(orders: Iterable[ExternalOrder]) -> dict[str, ExternalReservation]:
    """By currency. Of the legs of one list the largest counts, as coverage if any leg is a stop."""
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
    """Sellable quantities of `lots` (key, open quantity), oldest first, from `holdings` less `reserved`."""
    sellables: dict[K, Sellable] = {}
    here, free = max(holdings, ZERO), max(holdings - reserved, ZERO)
    for key, owned in lots:
        present, allowed = min(owned, here), min(owned, free)
        sellables[key] = Sellable(allowed=allowed, missing=owned - present)
        here, free = here - present, free - allowed
    return sellables
