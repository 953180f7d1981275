"""Builders for the values of the pure engine tests: a lot of 1 coin bought at 100."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from oco.engine.pricing import Grid
from oco.engine.states import State
from oco.engine.types import Desired, Leg, LegStatus, Market, Observed, PriceSample, Role

D = Decimal
NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
STARTED = NOW - timedelta(seconds=3)
GRID = Grid(price_tick=D("0.01"), quantity_tick=D("0.001"))
STOP, TARGET, EXIT = Role.STOP_LOSS, Role.TAKE_PROFIT, Role.EXIT


def desired(**changes: Any) -> Desired:
    """1 coin, stop at 95, take profit at 110, bought a minute ago."""
    defaults = {
        "owned": D(1),
        "order_quantity": changes.get("owned", D(1)),
        "stop": D("95.00"),
        "target": D("110.00"),
        "grid": GRID,
        "entered_at": NOW - timedelta(minutes=1),
    }
    return Desired(**(defaults | changes))


def observed(*legs: Leg, state: State = State.PENDING, mark: Any = None, **changes: Any) -> Observed:
    """Everything read, trading allowed; `mark` is one current price sample."""
    defaults: dict[str, Any] = {
        "now": NOW,
        "cycle_started": STARTED,
        "state": state,
        "legs": legs,
        "generation": max((leg.generation for leg in legs), default=0),
    }
    if mark is not None:
        defaults["market"] = Market(samples=(sample(mark),))
    return Observed(**(defaults | changes))


def sample(
    mark: Any, *, bid: Any = None, ask: Any = None, age: float = 0, published: Any = None
) -> PriceSample:
    """Without bid and ask both are the mark price."""
    return PriceSample(
        at=NOW - timedelta(seconds=age),
        mark=D(str(mark)),
        published=D(str(mark if published is None else published)),
        bid=D(str(mark if bid is None else bid)),
        ask=D(str(mark if ask is None else ask)),
    )


def leg(role: Role = STOP, status: LegStatus = LegStatus.OPEN, **changes: Any) -> Leg:
    """An open order for 1."""
    generation = changes.get("generation", 1)
    defaults = {
        "client_oid": f"xd-{generation}-{role}",
        "role": role,
        "generation": generation,
        "status": status,
        "quantity": D(1),
        "price": {STOP: D("95.00"), TARGET: D("110.00")}.get(role, D(0)),
    }
    return Leg(**(defaults | changes))


def ended(role: Role = STOP, end_status: str = "CANCELED", **changes: Any) -> Leg:
    return leg(role, LegStatus.ENDED, end_status=end_status, **changes)


def pair(**changes: Any) -> tuple[Leg, Leg]:
    return leg(STOP, **changes), leg(TARGET, **changes)
