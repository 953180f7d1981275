"""The USD account view of private/user-balance, with the recorded arithmetic (dossier 5.6)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator import reservations
from exchange.simulator.accounts import haircut
from exchange.simulator.decimals import ZERO, eight, short
from exchange.simulator.records import Order, Row

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

HALF, LIMIT_TIMES = Decimal("0.5"), 20
INITIAL = Decimal("0.05")  # of a derivative position's value: chosen, the dossier has no rate


@dataclass(frozen=True, slots=True)
class Holding:
    """One token: owned, locked, worth per unit, and what the answer admits of the lock."""

    currency: str
    quantity: Decimal
    locked: Decimal
    hidden_lock: Decimal
    shown_lock: Decimal
    usd: Decimal

    @property
    def free(self) -> Decimal:
        return self.quantity - self.hidden_lock - self.shown_lock

    @property
    def value(self) -> Decimal:
        return eight((self.quantity - self.hidden_lock) * self.usd)

    @property
    def cut(self) -> Decimal:
        return eight(self.value * haircut(self.currency))


def holdings(x: Exchange) -> list[Holding]:
    """Tokens that are owned; where a lock shows depends on quirks D28 and 11.16."""
    locked = reservations.reserved(x)
    sold = reservations.reserved_by(x, "SELL") if x.quirks.sell_reservation != "like_buys" else {}
    found = []
    for currency, quantity in x.ledger.balances.items():
        if quantity:
            lock, by_sells = locked.get(currency, ZERO), sold.get(currency, ZERO)
            hidden, shown = split_lock(x, lock, by_sells)
            found.append(Holding(currency, quantity, lock, hidden, shown, x.usd(currency)))
    return found


def split_lock(x: Exchange, lock: Decimal, by_sells: Decimal) -> tuple[Decimal, Decimal]:
    """(lock that only lowers values, lock that shows as reserved_qty)."""
    rest, shown = lock - by_sells, ZERO
    if x.quirks.sell_reservation == "reserved_qty":
        shown = by_sells
    return (ZERO, shown + rest) if x.quirks.reserved_qty == "amount" else (rest, shown)


def balance_row(x: Exchange) -> Row:
    owned = holdings(x)
    cash = sum((eight(each.quantity * each.usd) for each in owned), ZERO)
    margin = sum((each.value for each in owned), ZERO)
    cut = sum((each.cut for each in owned), ZERO)
    exposure = sum((each.value for each in owned if each.currency != "USD"), ZERO)
    needed = position_margin(x)
    return {
        "total_risk_exposure": short(exposure),
        "total_available_balance": short(margin - cut - needed),
        "total_margin_balance": short(margin),
        "total_initial_margin": short(cut + needed),
        "total_haircut": short(cut),
        "total_position_im": short(needed),
        "total_maintenance_margin": short((cut + needed) * HALF),
        "total_position_cost": short(position_cost(x)),
        "total_cash_balance": short(cash),
        "total_collateral_value": short(margin - cut),
        "total_session_unrealized_pnl": "0",
        "instrument_name": "USD",
        "total_session_realized_pnl": "0",
        "position_balances": [position_row(each) for each in owned],
        "credit_limits": [],
        "total_isolated_cash_balance": "0",
        "isolated_positions": [],
        "total_effective_leverage": leverage(exposure, margin),
        "position_limit": short(eight(LIMIT_TIMES * unrounded(owned))),
        "used_position_limit": short(exposure),
        "total_borrow": "0",
        "is_liquidating": False,
        "has_risk": False,
        "terminatable": is_idle(x),
    }


def position_margin(x: Exchange) -> Decimal:
    """What derivatives tie up; nothing on an account that has none, as in every recording."""
    held = x.positions.values()
    marks = (abs(each.quantity) * x.prices.mark(each.instrument_name, x.at_ms) for each in held)
    return eight(sum(marks, ZERO) * INITIAL)


def position_cost(x: Exchange) -> Decimal:
    return eight(sum((abs(each.quantity) * each.entry_price for each in x.positions.values()), ZERO))


def position_row(held: Holding) -> Row:
    return {
        "quantity": short(held.quantity),
        "reserved_qty": short(held.shown_lock),
        "collateral_amount": short(held.value - held.cut),
        "haircut": short(haircut(held.currency)),
        "collateral_eligible": True,
        "market_value": short(held.value),
        "max_withdrawal_balance": short(eight(max(held.free, ZERO))),
        "instrument_name": held.currency,
        "hourly_interest_rate": "0",
    }


def unrounded(owned: list[Holding]) -> Decimal:
    return sum(((each.quantity - each.hidden_lock) * each.usd for each in owned), ZERO)


def leverage(exposure: Decimal, margin: Decimal) -> str:
    return short((exposure / margin).quantize(Decimal("0.000001"))) if margin else "0"


def is_idle(x: Exchange) -> bool:
    """Turned false in the recordings while orders were open."""
    first: Order | None = next(iter(x.open_orders()), None)
    return first is None
