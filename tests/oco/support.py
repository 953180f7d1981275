"""Shared by tests of protection: our rows, the exchange's own record of our orders, and the invariants."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.utils.translation import override

from exchange.core.reasons import Reason
from exchange.schemas.orders import STOP_ORDER_TYPES
from exchange.simulator.models import Order
from oco.engine.invariants import OrderFact, converged, violations
from oco.engine.types import PREFIX
from oco.models import OcoEvent, OcoGroup, OcoLeg
from oco.presentation.reasons import render_reason
from oco.reconcile.invariant_checks import invariant_data
from tests.exchange.simulator.world import World

D = Decimal
RENDERED: set[str] = set()  # reasons that were rendered before


def ours(world: World) -> list[Order]:
    """Every order on the exchange with our client id prefix."""
    return [order for order in world.exchange.all_orders() if order.client_oid.startswith(PREFIX)]


def resting(world: World) -> list[Order]:
    return [order for order in ours(world) if order.is_open]


def stop_of(world: World) -> Order:
    """Our one open stop."""
    (order,) = [order for order in resting(world) if order.order_type in STOP_ORDER_TYPES]
    return order


def target_of(world: World) -> Order:
    (order,) = [order for order in resting(world) if order.order_type == "LIMIT"]
    return order


def truth(world: World) -> Any:
    """Our rows and the exchange's own record of our orders, as input of the invariants."""
    orders = [
        OrderFact(
            client_oid=order.client_oid,
            is_open=order.is_open,
            status=order.status,
            quantity=order.quantity,
            executed=order.cumulative_quantity,
        )
        for order in ours(world)
    ]
    return invariant_data(
        orders=orders, groups=OcoGroup.objects.all(), held=dict(world.exchange.ledger.balances)
    )


def check(world: World) -> None:
    """The invariants hold, and the exchange's own bookkeeping check passes."""
    assert violations(truth(world)) == []
    assert list(reasons_without_words()) == []
    assert world.exchange.audit() == []


def check_converged(world: World) -> None:
    """Everything open is fully covered."""
    assert list(converged(truth(world))) == []


def reasons_without_words() -> Iterator[str]:
    """Every reason that was stored can be told, in both languages; of events the newest are looked at."""
    for row in (*OcoEvent.objects.order_by("-id")[:20], *OcoGroup.objects.all()):
        for one in row.stored_reason or ():
            if repr(one) not in RENDERED:
                yield from _problems_of_words(one)
                RENDERED.add(repr(one))


def _problems_of_words(one: Reason) -> Iterator[str]:
    for language in ("en", "es"):
        with override(language):
            words = render_reason(one)
        if not words or one.code in words or "%(" in words:
            yield f"Nobody can tell {one}: {words!r}"


def group() -> OcoGroup:
    return OcoGroup.objects.get()


def states() -> list[str]:
    """The states of the only group, in order."""
    found: list[str] = []
    for event in OcoEvent.objects.order_by("id"):
        if not found or found[-1] != event.new:
            found.append(event.new)
    return found


def journal() -> str:
    """Group events and legs as text, for failing tests."""
    events = [f"{event} {event.code or ''}" for event in OcoEvent.objects.order_by("id")]
    legs = [
        f"{leg.generation} {leg.order_role} {leg.status} {leg.executed} {leg.refused_text}"
        for leg in OcoLeg.objects.order_by("id")
    ]
    return "\n".join([*events, *legs])


def created(requested: list[str]) -> int:
    """How many of these requests place orders."""
    return sum("/create-" in method for method in requested)
