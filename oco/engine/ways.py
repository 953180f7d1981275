"""Which way the orders of a group go: sell coins that are held, or buy back what was sold (pure, rule 4).

Everything that is said of a price in one way holds mirrored in the other.
"""

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum

ONE, HUNDRED = Decimal(1), Decimal(100)


class Way(StrEnum):
    """The value is the side of the orders."""

    SELLS = "SELL"  # guards coins: the stop lies below, the target above
    BUYS = "BUY"  # buys back: the stop lies above, the target below

    @classmethod
    def after(cls, side: str) -> "Way":
        """The way of the orders that follow an entry of this side."""
        return cls.SELLS if side == "BUY" else cls.BUYS

    def reached(self, price: Decimal, stop: Decimal) -> bool:
        """Whether `price` is at the stop or beyond it."""
        return price <= stop if self is Way.SELLS else price >= stop

    def nearer_stop(self, prices: Iterable[Decimal]) -> Decimal:
        """That of these which is the worst for us."""
        return min(prices) if self is Way.SELLS else max(prices)

    def farther_target(self, prices: Iterable[Decimal]) -> Decimal:
        """That of these which lies farther on the side of the target."""
        return max(prices) if self is Way.SELLS else min(prices)

    def against(self, price: Decimal, percent: Decimal) -> Decimal:
        """So many per cent of `price` on the side of the stop."""
        return price * (ONE - percent / HUNDRED if self is Way.SELLS else ONE + percent / HUNDRED)

    def towards(self, price: Decimal, percent: Decimal) -> Decimal:
        """So many per cent of `price` on the side of the target."""
        return price * (ONE + percent / HUNDRED if self is Way.SELLS else ONE - percent / HUNDRED)

    @property
    def stop_side(self) -> str:
        return "below" if self is Way.SELLS else "above"

    @property
    def target_side(self) -> str:
        return "above" if self is Way.SELLS else "below"

    @property
    def done(self) -> str:
        return "sold" if self is Way.SELLS else "bought"

    @property
    def doing(self) -> str:
        return "selling" if self is Way.SELLS else "buying"

    @property
    def order(self) -> str:
        return "sale" if self is Way.SELLS else "purchase"

    @property
    def serves(self) -> str:
        """What its orders do for the lot."""
        return "protects it" if self is Way.SELLS else "buys it back"

    @property
    def name_of_pair(self) -> str:
        return "protection" if self is Way.SELLS else "buy-back"

    @property
    def meets(self) -> str:
        """What an order at the market executes against."""
        return "bid" if self is Way.SELLS else "ask"

    @property
    def means(self) -> str:
        """What its orders need."""
        return "coins" if self is Way.SELLS else "money"
