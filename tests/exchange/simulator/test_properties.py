"""Random lives of an account: whatever happens, the books are right and nothing executed is ever taken back."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from exchange.simulator.config import CHOICES, Refusal
from exchange.simulator.models import Order
from tests.exchange.simulator.world import World

BEHAVIOUR = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in CHOICES.items()}
)
SYMBOLS = st.sampled_from(["CRO_USD", "BTC_USD", "CRO_USDT"])
SIDES = st.sampled_from(["BUY", "SELL"])
PERCENT = st.decimals("-4", "4", places=1)
SHARES = st.sampled_from(["0.1", "0.3", "1"])
LOTS = {"CRO_USD": Decimal(1), "CRO_USDT": Decimal(1), "BTC_USD": Decimal("0.00001")}
TIMES = st.sampled_from(["GOOD_TILL_CANCEL", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL"])
FEES = st.sampled_from([{}, {"fee_instrument_name": "USD"}, {"fee_instrument_name": "USDT"}])


class Life(RuleBasedStateMachine):
    """One account with a few coins; refusals are expected."""

    @initialize(behaviour=BEHAVIOUR)
    def begin(self, behaviour: dict[str, Any]) -> None:
        self.world = World({"USD": 500, "USDT": 300, "CRO": 9000, "BTC": "0.01"}, **behaviour)
        self.racing = behaviour.get("oco_race") == "sibling_may_fill"
        self.executed: dict[int, Decimal] = {}

    def near(self, symbol: str, percent: Decimal) -> str:
        tick = self.world.exchange.instruments[symbol].price_tick
        price = self.world.price(symbol) * (1 + percent / 100)
        return str((price // tick or 1) * tick)

    def size(self, symbol: str, share: str) -> str:
        lots = Decimal(share) * 200 / self.world.price(symbol) // LOTS[symbol]
        return str(lots * LOTS[symbol])

    def try_to(self, method: str, **params: Any) -> None:
        with suppress(Refusal):
            self.world.send_manually(method, **params)

    @rule(symbol=SYMBOLS, side=SIDES, percent=PERCENT, share=SHARES, tif=TIMES, fee=FEES)
    def limit(
        self, symbol: str, side: str, percent: Decimal, share: str, tif: str, fee: dict[str, str]
    ) -> None:
        asked = {"type": "LIMIT", "quantity": self.size(symbol, share), "price": self.near(symbol, percent)}
        self.create(symbol, side, **asked, time_in_force=tif, **fee)

    @rule(symbol=SYMBOLS, side=SIDES, share=SHARES, fee=FEES)
    def market(self, symbol: str, side: str, share: str, fee: dict[str, str]) -> None:
        self.create(symbol, side, type="MARKET", quantity=self.size(symbol, share), **fee)

    @rule(symbol=SYMBOLS, spend=st.sampled_from(["5", "33.3", "150"]))
    def spend(self, symbol: str, spend: str) -> None:
        self.create(symbol, "BUY", type="MARKET", notional=spend)

    def create(self, symbol: str, side: str, **asked: str) -> None:
        self.try_to("private/create-order", instrument_name=symbol, side=side, **asked)

    @rule(symbol=SYMBOLS, side=SIDES, percent=PERCENT, share=SHARES)
    def trigger(self, symbol: str, side: str, percent: Decimal, share: str) -> None:
        stops = (percent < 0) == (side == "SELL")
        self.try_to(
            "private/advanced/create-order",
            instrument_name=symbol,
            side=side,
            type="STOP_LOSS" if stops else "TAKE_PROFIT",
            quantity=self.size(symbol, share),
            ref_price=self.near(symbol, percent),
        )

    @rule(symbol=SYMBOLS, side=SIDES, away=st.decimals("0.2", "3", places=1), share=SHARES)
    def pair(self, symbol: str, side: str, away: Decimal, share: str) -> None:
        sign = 1 if side == "SELL" else -1
        leg = {"instrument_name": symbol, "side": side, "quantity": self.size(symbol, share)}
        target = leg | {"type": "LIMIT", "price": self.near(symbol, sign * away)}
        stop = leg | {"type": "STOP_LOSS", "ref_price": self.near(symbol, -sign * away)}
        self.try_to("private/advanced/create-oco", order_list=[target, stop])

    @rule(symbol=SYMBOLS, percent=PERCENT)
    def move(self, symbol: str, percent: Decimal) -> None:
        self.world.move(symbol, percent)

    @rule(seconds=st.sampled_from([0.001, 0.4, 3, 90]))
    def wait(self, seconds: float) -> None:
        self.world.tick(seconds)

    @rule(symbol=SYMBOLS, quantity=st.sampled_from([None, "0", "3"]))
    def thin(self, symbol: str, quantity: str | None) -> None:
        self.world.set_liquidity(symbol, quantity)

    @rule(gap=st.sampled_from(["0", "0.03", "-0.03", "0.2"]), symbol=SYMBOLS)
    def mark_apart(self, gap: str, symbol: str) -> None:
        self.world.set_mark_gap(symbol, gap)

    @precondition(lambda self: self.world.open_orders())
    @rule(data=st.data(), half=st.booleans())
    def fill(self, data: st.DataObject, half: bool) -> None:
        order = data.draw(st.sampled_from(self.world.open_orders()))
        lot = LOTS[order.instrument_name]
        quantity = (order.remaining / 2 // lot or 1) * lot if half else None
        if order.notional is None:
            self.hand(lambda: self.world.fill(order, quantity))

    @precondition(lambda self: self.world.open_orders())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.world.open_orders()))
        self.hand(lambda: self.world.cancel(order))

    @rule(currency=st.sampled_from(["CRO", "USD"]))
    def withdraw(self, currency: str) -> None:
        self.hand(lambda: self.world.withdraw(currency, self.world.balance(currency) / 10))

    def hand(self, act: Any) -> None:
        with suppress(Refusal, ValueError):
            act()

    @invariant()
    def the_books_are_right(self) -> None:
        assert self.world.exchange.audit() == []

    @invariant()
    def nothing_executed_is_taken_back(self) -> None:
        for order in self.world.exchange.all_orders():
            assert order.cumulative_quantity >= self.executed.get(id(order), Decimal(0))
            assert order.notional is not None or order.remaining >= 0
            self.executed[id(order)] = order.cumulative_quantity

    @invariant()
    def a_pair_executes_on_one_side_only(self) -> None:
        for linked in self.world.exchange.lists.values():
            legs: list[Order] = [
                self.world.exchange.stores["advanced"].by_id[each] for each in linked.order_ids
            ]
            assert self.racing or sum(leg.cumulative_quantity > 0 for leg in legs) <= 1


Life.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestLife = Life.TestCase
