"""The past of a dry-run account: five months of trading by hand, and orders that are open now.

Everything is played through the exchange's own rules at past moments, so the books are right by construction.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator.codes import Refusal
from exchange.simulator.decimals import floor_to
from exchange.simulator.motion import Motion
from exchange.simulator.noise import key_of, luck
from exchange.simulator.quirks import Quirks
from exchange.simulator.timeframes import DAY_MS, HOUR_MS
from exchange.simulator.trader import Trader

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

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
