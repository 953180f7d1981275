"""Whose money it is: API keys, the ledger of balances, and the haircuts of the account view."""

from dataclasses import dataclass, field
from decimal import Decimal

from exchange.simulator.decimals import ZERO

HAIRCUTS = {"USD": "0", "USDT": "0.04", "USDC": "0.04", "BTC": "0.1", "ETH": "0.1", "LTC": "0.2"}


def haircut(currency: str) -> Decimal:
    """Recorded for USD, USDT, BTC, LTC and CRO (dossier 5.6); a half for what was never recorded."""
    return Decimal(HAIRCUTS.get(currency, "0.5"))


@dataclass(slots=True)
class Ledger:
    """Balances, and the sum of what was paid in and out, so that an audit can recompute them."""

    balances: dict[str, Decimal] = field(default_factory=dict)
    paid_in: dict[str, Decimal] = field(default_factory=dict)

    def of(self, currency: str) -> Decimal:
        return self.balances.get(currency, ZERO)

    def add(self, currency: str, amount: Decimal) -> None:
        self.balances[currency] = self.of(currency) + amount

    def pay_in(self, currency: str, amount: Decimal) -> None:
        """A deposit, or a withdrawal when negative."""
        self.add(currency, amount)
        self.paid_in[currency] = self.paid_in.get(currency, ZERO) + amount
