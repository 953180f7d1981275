"""Opening the dry-run account: as it was saved, or new with a made-up past.

A person who trades by hand on the simulated exchange, by its own rules, at any moment its clock is put to.

The past of a dry-run account: five months of trading by hand, and orders that are open now.

Everything is played through the exchange's own rules at past moments, so the books are right by construction.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from exchange.simulator import order_changes, order_entry, settlement
from exchange.simulator.config import Quirks, Refusal
from exchange.simulator.exchange import Exchange
from exchange.simulator.instruments import floor_to, plain
from exchange.simulator.market_data import HOUR_MS, Prices
from exchange.simulator.markets import Motion
from exchange.simulator.models import NameSpace, Order
from exchange.simulator.persistence import load
from exchange.simulator.price_model import DAY_MS, key_of, luck
from exchange.simulator.requests import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


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
        return order_changes.create_oco(self.exchange, call)["list_id"]

    def wait(self, ms: int) -> None:
        self.exchange.advance(self.exchange.at_ms + ms)

    def cancel(self, order: Order) -> None:
        if order.is_open:
            settlement.cancel(self.exchange, order)

    def _best_soon(self, side: str, symbol: str) -> Decimal:
        now = self.exchange.at_ms
        high, low = self.motion.reach(symbol, now, now + PATIENCE_MS)
        return self.motion.on_tick(symbol, low if side == "BUY" else high)

    def _plain(self, side: str, symbol: str, kind: str, **more: str) -> Order:
        params = {"instrument_name": symbol, "side": side, "type": kind, **more}
        call = Call(method="private/create-order", params=params, reference=self._name())
        return self._order("plain", order_entry.create_plain(self.exchange, call)["order_id"])

    def _advanced(self, kind: str, symbol: str, **more: str) -> Order:
        params = {"instrument_name": symbol, "side": "SELL", "type": kind, **more}
        call = Call(method="private/advanced/create-order", params=params, reference=self._name())
        return self._order("advanced", order_entry.create_trigger(self.exchange, call)["order_id"])

    def _order(self, name_space: NameSpace, order_id: str) -> Order:
        return self.exchange.stores[name_space].by_id[order_id]

    def _name(self) -> str:
        """Orders by hand bring no client id; the exchange gives them one."""
        return str(self.exchange.time_ns())


COINS = ("BTC", "ETH", "SOL", "XRP", "CRO")
DAYS = 150
EVENTS = 210
HALF_DAY = 12
FIRST_DEPOSIT, LATER_DEPOSIT, WITHDRAWAL = Decimal(42_000), Decimal(12_000), Decimal(-2_500)
WANTED = Decimal(6_000)  # about what the person likes to own of each coin
LEAST_OWNED = Decimal(2_500)
CASH_KEPT = Decimal(4_000)
NEAR_BUYS = {"BTC_USD": "-0.001", "ETH_USD": "-0.0015", "SOL_USD": "-0.004"}
NEAR_SELLS = {"XRP_USD": "0.001", "ETH_USD": "0.0015", "CRO_USD": "0.0025"}
FAR_SELL = ("CRO_USD", "0.25")


class Dice:
    """Luck in order, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._key, self._thrown = key_of(seed, "life"), 0

    def share(self) -> float:
        """From 0 up to 1."""
        self._thrown += 1
        return (luck(self._key, self._thrown) + 1) / 2

    def between(self, low: int, high: int) -> Decimal:
        return Decimal(low + int(self.share() * (high - low)))

    def coin(self) -> str:
        return COINS[int(self.share() * len(COINS))]


def seed_life(exchange: Exchange, prices: Motion, now_ms: int) -> None:
    """Fill a fresh exchange up to `now_ms`; needs no other knowledge than the seed of the prices."""
    trader, dice, quirks = Trader(exchange, prices), Dice(prices.seed), exchange.quirks
    exchange.quirks = Quirks()
    exchange.at_ms = now_ms - DAYS * DAY_MS
    exchange.deposit("USD", FIRST_DEPOSIT)
    for coin in COINS:
        _buy(trader, dice, f"{coin}_USD", WANTED / 2)
    _months(trader, dice, now_ms)
    _top_up(trader)
    exchange.quirks = quirks
    exchange.advance(now_ms)
    _open_orders(trader)


def _months(trader: Trader, dice: Dice, now_ms: int) -> None:
    """The events, evenly over the days up to two hours before now, each with some leeway."""
    exchange, start = trader.exchange, trader.exchange.at_ms + DAY_MS
    gap = (now_ms - 2 * HOUR_MS - start) // EVENTS
    special = {
        EVENTS // 5: lambda: exchange.deposit("USD", LATER_DEPOSIT),
        EVENTS // 3: lambda: _old_oco(trader, "SOL_USD"),
        EVENTS // 2: lambda: exchange.deposit("USD", WITHDRAWAL),
    }
    for number in range(EVENTS):
        moment = start + number * gap + int(dice.share() * (gap - HOUR_MS))
        exchange.advance(max(moment, exchange.at_ms))
        special.get(number, lambda: _trade(trader, dice))()


def _trade(trader: Trader, dice: Dice) -> None:
    """Buy what is short, sell what is plenty, otherwise as luck has it.

    An order that the exchange refuses is history too: it leaves its REJECTED record.
    """
    coin = dice.coin()
    worth, cash = trader.worth(coin), trader.worth("USD")
    buys = dice.share() * float(WANTED) * 2 > float(worth)
    with suppress(Refusal):
        if buys and cash > CASH_KEPT:
            _buy(trader, dice, f"{coin}_USD", min(dice.between(250, 1_900), cash / 4))
        elif worth > LEAST_OWNED:
            _sell(trader, dice, f"{coin}_USD", min(dice.between(250, 1_900), worth / 3))


def _buy(trader: Trader, dice: Dice, symbol: str, value: Decimal) -> None:
    quantity, way = trader.lots(symbol, value), dice.share()
    if way < 0.12:
        trader.spend(symbol, value)
    elif way < 0.36:
        trader.market("BUY", symbol, quantity)
    elif way < 0.48:
        trader.market("BUY", symbol, quantity, fee="USD")
    else:
        _by_limit(trader, dice, "BUY", symbol, quantity)


def _sell(trader: Trader, dice: Dice, symbol: str, value: Decimal) -> None:
    quantity = trader.lots(symbol, value)
    if dice.share() < 0.4:
        trader.market("SELL", symbol, quantity)
    else:
        _by_limit(trader, dice, "SELL", symbol, quantity)


def _by_limit(trader: Trader, dice: Dice, side: str, symbol: str, quantity: Decimal) -> None:
    way = dice.share()
    if way < 0.2:
        trader.limit_given_up(side, symbol, quantity)
    elif way < 0.32:
        trader.limit_half_filled(side, symbol, quantity)
    else:
        trader.limit_in_reach(side, symbol, quantity)


def _old_oco(trader: Trader, symbol: str) -> None:
    """A pair whose target is reached within half a day; its stop is far enough to be left behind."""
    while (high := _high_ahead(trader, symbol)) < trader.last(symbol) * Decimal("1.004"):
        trader.wait(HOUR_MS)
    target = floor_to((high + trader.last(symbol)) / 2, trader.motion.market(symbol).price_tick)
    trader.oco(symbol, trader.lots(symbol, Decimal(600)), target, trader.away(symbol, Decimal("-0.3")))
    for _ in range(HALF_DAY):
        trader.wait(HOUR_MS)


def _high_ahead(trader: Trader, symbol: str) -> Decimal:
    now = trader.exchange.at_ms
    high, _ = trader.motion.reach(symbol, now, now + HALF_DAY * HOUR_MS)
    return trader.motion.on_tick(symbol, high)


def _top_up(trader: Trader) -> None:
    """Everyone owns a little of everything in the end."""
    for coin in COINS:
        missing = LEAST_OWNED - trader.worth(coin)
        if missing > 0:
            trader.market("BUY", f"{coin}_USD", trader.lots(f"{coin}_USD", missing + 100))


def _open_orders(trader: Trader) -> None:
    """Some so near that they fill within minutes, whichever way it goes; one far away; a pair; a stop."""
    for symbol, ratio in NEAR_BUYS.items():
        trader.limit("BUY", symbol, trader.lots(symbol, Decimal(300)), trader.away(symbol, Decimal(ratio)))
    for symbol, ratio in (*NEAR_SELLS.items(), FAR_SELL):
        trader.limit("SELL", symbol, trader.lots(symbol, Decimal(400)), trader.away(symbol, Decimal(ratio)))
    sol, btc = trader.lots("SOL_USD", Decimal(900)), trader.lots("BTC_USD", Decimal(1_000))
    target, trigger = (trader.away("SOL_USD", Decimal(ratio)) for ratio in ("0.006", "-0.006"))
    trader.oco("SOL_USD", sol, target, trigger)
    trader.stop("BTC_USD", btc, trader.away("BTC_USD", Decimal("-0.03")))


DEFAULT_SEED, DEFAULT_SPEED = 1, 1.0


class OtherMarket(Exception):
    """The saved account lives in a market with another seed or speed than the one asked for."""


def account_uuid(seed: int, key: str) -> str:
    """The same account for the same seed and key, on every machine."""
    return str(uuid5(NAMESPACE_URL, f"exchange-desk-simulator:{seed}:{key}"))


def open_account(
    path: Path,
    *,
    key: str,
    secret: str,
    now_ms: Callable[[], int],
    seed: int | None = None,
    speed: float | None = None,
) -> tuple[Exchange, Prices]:
    """Raises StateUnreadable and OtherMarket; never starts anew over a file that exists."""
    if not path.exists():
        return new_account(key=key, secret=secret, now_ms=now_ms, seed=seed, speed=speed)
    exchange, prices = load(path, now_ms)
    for name, wanted, saved in (("seed", seed, prices.seed), ("speed", speed, prices.tempo.speed)):
        if wanted is not None and wanted != saved:
            raise OtherMarket(
                f"{path} was begun with --{name} {saved}: leave --{name} out, or name another --state"
            )
    exchange.keys = {key: secret}
    return exchange, prices


def new_account(
    *, key: str, secret: str, now_ms: Callable[[], int], seed: int | None = None, speed: float | None = None
) -> tuple[Exchange, Prices]:
    """A fresh market that begins now, and an account with a past in it."""
    seed, speed, now = DEFAULT_SEED if seed is None else seed, speed or DEFAULT_SPEED, now_ms()
    prices = Prices(seed=seed, origin_ms=now, speed=speed)
    uuid = account_uuid(seed, key)
    exchange = Exchange(prices, now_ms=now_ms, account_uuid=uuid, key=key, secret=secret)
    seed_life(exchange, prices, now)
    return exchange, prices
