"""A person who trades by hand on the simulated exchange, by its own rules, at any moment its clock is put to."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator import booking, pairs, placing
from exchange.simulator.calls import Call
from exchange.simulator.decimals import floor_to, plain
from exchange.simulator.motion import Motion
from exchange.simulator.records import NameSpace, Order

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

PATIENCE_MS = 15 * 60_000


class Trader:
    """Amounts are in USD, distances in ratios of the last price. Refusals of the exchange are raised."""

    def __init__(self, exchange: Exchange, motion: Motion) -> None:
        self.exchange, self.motion = exchange, motion

    def last(self, symbol: str) -> Decimal:
        return self.motion.last(symbol, self.exchange.at_ms)

    def away(self, symbol: str, ratio: Decimal) -> Decimal:
        """A price on the tick, this far above (or below) last."""
        tick = self.motion.market(symbol).price_tick
        return max(tick, floor_to(self.last(symbol) * (1 + ratio), tick))

    def lots(self, symbol: str, value: Decimal) -> Decimal:
        """The quantity on the grid that is worth this many USD."""
        return floor_to(value / self.last(symbol), self.motion.market(symbol).qty_tick)

    def worth(self, currency: str) -> Decimal:
        """What is owned of a currency, in USD."""
        return self.exchange.ledger.of(currency) * self.motion.usd(currency, self.exchange.at_ms)

    def market(self, side: str, symbol: str, quantity: Decimal, fee: str | None = None) -> Order:
        """`fee` names the token to pay the fee in."""
        extra = {"fee_instrument_name": fee} if fee else {}
        return self._plain(side, symbol, "MARKET", quantity=plain(quantity), **extra)

    def spend(self, symbol: str, value: Decimal) -> Order:
        """A market buy of so many USD, which ends CANCELED with fills (dossier 5.11.7)."""
        return self._plain("BUY", symbol, "MARKET", notional=plain(value.quantize(Decimal("0.01"))))

    def limit(self, side: str, symbol: str, quantity: Decimal, price: Decimal) -> Order:
        return self._plain(side, symbol, "LIMIT", quantity=plain(quantity), price=plain(price))

    def limit_in_reach(self, side: str, symbol: str, quantity: Decimal) -> Order:
        """A limit order at a price that the market comes to soon, filling in parts; a rest is cancelled."""
        best, now, quirks = self._best_soon(side, symbol), self.last(symbol), self.exchange.quirks
        price = floor_to((best + 2 * now) / 3, self.motion.market(symbol).price_tick)
        self.exchange.quirks = replace(quirks, partial_fills=2)
        order = self.limit(side, symbol, quantity, price)
        self.wait(PATIENCE_MS)
        self.exchange.quirks = quirks
        self.cancel(order)
        return order

    def limit_given_up(self, side: str, symbol: str, quantity: Decimal) -> Order:
        """A limit order that the market did not come to, cancelled after a few minutes."""
        best = self._best_soon(side, symbol)
        sign = Decimal(-1 if side == "BUY" else 1)
        beyond = floor_to(best * (1 + sign * Decimal("0.004")), self.motion.market(symbol).price_tick)
        order = self.limit(side, symbol, quantity, beyond)
        self.wait(PATIENCE_MS)
        self.cancel(order)
        return order

    def limit_half_filled(self, side: str, symbol: str, quantity: Decimal) -> Order:
        """A limit order in a thin market: it takes what there is, and the rest is cancelled."""
        lot = self.motion.market(symbol).qty_tick
        price = (self.motion.ask if side == "BUY" else self.motion.bid)(symbol, self.exchange.at_ms)
        self.exchange.liquidity[symbol] = floor_to(quantity * Decimal("0.4"), lot)
        order = self.limit(side, symbol, quantity, price)
        del self.exchange.liquidity[symbol]
        self.cancel(order)
        return order

    def stop(self, symbol: str, quantity: Decimal, trigger: Decimal) -> Order:
        return self._advanced("STOP_LOSS", symbol, quantity=plain(quantity), ref_price=plain(trigger))

    def oco(self, symbol: str, quantity: Decimal, target: Decimal, trigger: Decimal) -> str:
        """A sell pair, take-profit limit and stop-loss; answers the list id."""
        common = {"instrument_name": symbol, "side": "SELL", "quantity": plain(quantity)}
        legs = [
            {**common, "type": "LIMIT", "price": plain(target)},
            {**common, "type": "STOP_LOSS", "ref_price": plain(trigger)},
        ]
        call = Call(method="private/advanced/create-oco", params={"order_list": legs}, reference=self._name())
        return pairs.create_oco(self.exchange, call)["list_id"]

    def wait(self, ms: int) -> None:
        self.exchange.advance(self.exchange.at_ms + ms)

    def cancel(self, order: Order) -> None:
        if order.is_open:
            booking.cancel(self.exchange, order)

    def _best_soon(self, side: str, symbol: str) -> Decimal:
        now = self.exchange.at_ms
        high, low = self.motion.reach(symbol, now, now + PATIENCE_MS)
        return self.motion.on_tick(symbol, low if side == "BUY" else high)

    def _plain(self, side: str, symbol: str, kind: str, **more: str) -> Order:
        params = {"instrument_name": symbol, "side": side, "type": kind, **more}
        call = Call(method="private/create-order", params=params, reference=self._name())
        return self._order("plain", placing.create_plain(self.exchange, call)["order_id"])

    def _advanced(self, kind: str, symbol: str, **more: str) -> Order:
        params = {"instrument_name": symbol, "side": "SELL", "type": kind, **more}
        call = Call(method="private/advanced/create-order", params=params, reference=self._name())
        return self._order("advanced", placing.create_trigger(self.exchange, call)["order_id"])

    def _order(self, name_space: NameSpace, order_id: str) -> Order:
        return self.exchange.stores[name_space].by_id[order_id]

    def _name(self) -> str:
        """Orders by hand bring no client id; the exchange gives them one."""
        return str(self.exchange.time_ns())
