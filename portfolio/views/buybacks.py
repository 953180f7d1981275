"""One line per buy-back: how much of what was sold is still to be bought, at which prices, and how it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from oco.engine.coverage import Cover
from oco.engine.pricing import Way
from oco.engine.states import State
from oco.presentation.positions import BuyBack
from portfolio.dashboard.selectors import Dashboard
from portfolio.views.positions import LOOKS

ONE, HUNDRED = Decimal(1), Decimal(100)
SAID_BY_COVER = frozenset({Cover.UNPROTECTED, Cover.PARTLY})
BARE = frozenset({State.STOP_FAILED, State.UNKNOWN, State.PENDING, State.REPLACING})


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyBackLine:
    """`now` is the price in the pair's own currency, `unit` what that currency is worth in USD. `failed`: no stop
    of it rests. What is won or lost counts from the sale, before fees, in USD; None where it is not known.
    """

    row: BuyBack
    look: str
    now: Decimal | None
    unit: Decimal | None
    failed: bool

    @property
    def way(self) -> Way:
        return Way.BUYS

    @property
    def called(self) -> Cover | None:
        """Where that says more than the state of the group."""
        return self.row.cover if self.row.cover in SAID_BY_COVER else None

    @property
    def result_usd(self) -> Decimal | None:
        """If it were bought back now."""
        return self._result(self.now)

    @property
    def result_pct(self) -> Decimal | None:
        entry = self.row.group.entry_price
        return (entry - self.now) / entry * HUNDRED if entry and self.now is not None else None

    @property
    def at_stop(self) -> Decimal | None:
        return self._result(self.row.group.stop_price)

    @property
    def at_target(self) -> Decimal | None:
        return self._result(self.row.group.take_profit_price)

    def _result(self, price: Decimal | None) -> Decimal | None:
        entry = self.row.group.entry_price
        if price is None or entry is None or self.unit is None:
            return None
        return (entry - price) * self.row.quantity * self.unit


def buyback_lines(desk: Dashboard) -> list[BuyBackLine]:
    """In the order of the buy-backs: the worst first."""
    usd = {row.currency: row.price_usd for row in desk.portfolio if row.price_usd} | {"USD": ONE}
    return [_line(row, desk, usd) for row in desk.buybacks]


def _line(row: BuyBack, desk: Dashboard, usd: Mapping[str, Decimal]) -> BuyBackLine:
    """The last price of the pair, or else what the account says that coin and money are worth."""
    price, unit = usd.get(row.base), usd.get(row.quote)
    reckoned = price / unit if price and unit else None
    return BuyBackLine(
        row=row,
        look=LOOKS.get(row.cover, ""),
        now=desk.prices.get(row.group.instrument_name, reckoned),
        unit=unit,
        failed=row.group.state in BARE,
    )
