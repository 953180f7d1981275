"""At which price the target of a group is: where it was placed, which may be another than the wish (pure, rule 3)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from oco.engine.types import Role

RESTING = frozenset({"ACCEPTED", "OPEN", "FILLED"})
ENDED = frozenset({"CANCELED", "EXPIRED"})


class Leg(Protocol):
    """An order of the newest generation, however it was read."""

    @property
    def order_role(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def price(self) -> Decimal | None: ...


def target_placed(*, wish: Decimal | None, legs: Iterable[Leg], is_closed: bool) -> Decimal | None:
    """That of the newest order that rests or sold; once the group is closed, of one that rested until then."""
    told = RESTING | ENDED if is_closed else RESTING
    prices = [leg.price for leg in legs if leg.order_role == Role.TAKE_PROFIT and leg.status in told]
    return next((price for price in reversed(prices) if price is not None), wish)
