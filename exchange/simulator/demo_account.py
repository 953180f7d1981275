"""The dry-run account: as it was saved, or new with a demo history of five months and some open orders.

The history is played through the exchange's own rules at past moments, so the books are right by construction.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from exchange.simulator import order_entry, order_lists, settlement
from exchange.simulator.config import BehaviourOptions, Refusal
from exchange.simulator.exchange import Exchange
from exchange.simulator.instruments import decimal_text, floor_to
from exchange.simulator.market_data import Prices
from exchange.simulator.markets import PriceProcess
from exchange.simulator.models import NameSpace, Order
from exchange.simulator.parameters import Call
from exchange.simulator.persistence import load
from exchange.simulator.price_model import DAY_MS, HOUR_MS, MINUTE_MS, cell_noise, noise_key

DEFAULT_SEED, DEFAULT_SPEED = 1, 1.0
COINS = ("BTC", "ETH", "SOL", "XRP", "CRO")
DAYS = 150
EVENT_COUNT = 210
HALF_DAY_HOURS = 12
MAX_WAIT_MS = 15 * MINUTE_MS
FIRST_DEPOSIT, LATER_DEPOSIT, WITHDRAWAL = Decimal(42_000), Decimal(12_000), Decimal(-2_500)
TARGET_USD = Decimal(6_000)  # the usual value of each coin held
MIN_OWNED_USD = Decimal(2_500)
MIN_CASH_USD = Decimal(4_000)
PROTECTED = "ETH"  # no order buys more of it, so that all of it has a stop
NEAR_BUYS = {"BTC_USD": "-0.001", "XRP_USD": "-0.0015", "SOL_USD": "-0.004"}
NEAR_SELLS = {"XRP_USD": "0.001", "CRO_USD": "0.0025"}
FAR_SELL = ("CRO_USD", "0.25")
# A purchase fills within the first of these times after the start in which a coin gets cheaper: by then the desk has
# read the account once.
FIRST_FILL_MS = ((30_000, 90_000), (90_000, 180_000), (180_000, 600_000))


class MarketMismatch(Exception):
    """The saved account belongs to a market with another seed or speed than requested."""


def open_account(
    path: Path,
    *,
    key: str,
    secret: str,
    now_ms: Callable[[], int],
    seed: int | None = None,
    speed: float | None = None,
) -> tuple[Exchange, Prices]:
    """Raises StateUnreadable and MarketMismatch. An existing file is never replaced by a new account."""
    if not path.exists():
        return new_account(key=key, secret=secret, now_ms=now_ms, seed=seed, speed=speed)
    exchange, prices = load(path, now_ms)
    for name, requested, saved in (("seed", seed, prices.seed), ("speed", speed, prices.clock.speed)):
        if requested is not None and requested != saved:
            raise MarketMismatch(
                f"{path} was begun with --{name} {saved}: leave --{name} out, or name another --state"
            )
    exchange.keys = {key: secret}
    return exchange, prices


def new_account(
    *, key: str, secret: str, now_ms: Callable[[], int], seed: int | None = None, speed: float | None = None
) -> tuple[Exchange, Prices]:
    """A market that starts now at the recorded prices, and an account with a demo history."""
    seed, speed, now = DEFAULT_SEED if seed is None else seed, speed or DEFAULT_SPEED, now_ms()
    prices = Prices(seed=seed, origin_ms=now, speed=speed)
    uuid = account_uuid(seed, key)
    exchange = Exchange(prices, now_ms=now_ms, account_uuid=uuid, key=key, secret=secret)
    seed_demo_history(exchange, prices, now)
    return exchange, prices


def account_uuid(seed: int, key: str) -> str:
    """The same account for the same seed and key, on every machine."""
    return str(uuid5(NAMESPACE_URL, f"exchange-desk-simulator:{seed}:{key}"))


def seed_demo_history(exchange: Exchange, prices: PriceProcess, now_ms: int) -> None:
    """Fill a fresh exchange up to `now_ms`. The result depends only on `now_ms` and the seed of the prices."""
    trader, rng, behaviour = Trader(exchange, prices), SeededRandom(prices.seed), exchange.behaviour
    exchange.behaviour = BehaviourOptions()
    exchange.at_ms = now_ms - DAYS * DAY_MS
    exchange.deposit("USD", FIRST_DEPOSIT)
    for coin in COINS:
        _buy(trader, rng, f"{coin}_USD", TARGET_USD / 2)
    _play_events(trader, rng, now_ms)
    _top_up(trader)
    exchange.behaviour = behaviour
    exchange.advance(now_ms)
    _open_orders(trader)


def _play_events(trader: Trader, rng: SeededRandom, now_ms: int) -> None:
    """The events: evenly spaced up to two hours before now, each shifted by a random delay."""
    exchange, start = trader.exchange, trader.exchange.at_ms + DAY_MS
    gap = (now_ms - 2 * HOUR_MS - start) // EVENT_COUNT
    special = {
        # Money comes and goes in the first month and a half only, so that later values follow from trades and prices.
        EVENT_COUNT // 5: lambda: exchange.deposit("USD", LATER_DEPOSIT),
        EVENT_COUNT * 2 // 7: lambda: exchange.deposit("USD", WITHDRAWAL),
        EVENT_COUNT // 3: lambda: _past_oco(trader, "SOL_USD"),
    }
    for number in range(EVENT_COUNT):
        moment = start + number * gap + int(rng.random() * (gap - HOUR_MS))
        exchange.advance(max(moment, exchange.at_ms))
        special.get(number, lambda: _trade(trader, rng))()


def _trade(trader: Trader, rng: SeededRandom) -> None:
    """Mostly buys what is below TARGET_USD and sells what is above it."""
    coin = rng.coin()
    value_usd, cash = trader.value_usd(coin), trader.value_usd("USD")
    buys = rng.random() * float(TARGET_USD) * 2 > float(value_usd)
    # A refused order is part of the history: it leaves its REJECTED record.
    with suppress(Refusal):
        if buys and cash > MIN_CASH_USD:
            _buy(trader, rng, f"{coin}_USD", min(rng.between(250, 1_900), cash / 4))
        elif value_usd > MIN_OWNED_USD:
            _sell(trader, rng, f"{coin}_USD", min(rng.between(250, 1_900), value_usd / 3))


def _buy(trader: Trader, rng: SeededRandom, symbol: str, value: Decimal) -> None:
    quantity, draw = trader.lots(symbol, value), rng.random()
    if draw < 0.12:
        trader.spend(symbol, value)
    elif draw < 0.36:
        trader.market("BUY", symbol, quantity)
    elif draw < 0.48:
        trader.market("BUY", symbol, quantity, fee="USD")
    else:
        _limit_order(trader, rng, "BUY", symbol, quantity)


def _sell(trader: Trader, rng: SeededRandom, symbol: str, value: Decimal) -> None:
    quantity = trader.lots(symbol, value)
    if rng.random() < 0.4:
        trader.market("SELL", symbol, quantity)
    else:
        _limit_order(trader, rng, "SELL", symbol, quantity)


def _limit_order(trader: Trader, rng: SeededRandom, side: str, symbol: str, quantity: Decimal) -> None:
    draw = rng.random()
    if draw < 0.2:
        trader.limit_unfilled(side, symbol, quantity)
    elif draw < 0.32:
        trader.limit_half_filled(side, symbol, quantity)
    else:
        trader.limit_that_fills(side, symbol, quantity)


def _past_oco(trader: Trader, symbol: str) -> None:
    """A pair whose take profit fills within half a day; its stop is too far away to trigger before."""
    while (high := _future_high(trader, symbol)) < trader.last(symbol) * Decimal("1.004"):
        trader.wait(HOUR_MS)
    target = floor_to((high + trader.last(symbol)) / 2, trader.prices.market(symbol).price_tick)
    trader.oco(symbol, trader.lots(symbol, Decimal(600)), target, trader.price_away(symbol, Decimal("-0.3")))
    for _ in range(HALF_DAY_HOURS):
        trader.wait(HOUR_MS)


def _future_high(trader: Trader, symbol: str) -> Decimal:
    now = trader.exchange.at_ms
    high, _ = trader.prices.high_low(symbol, now, now + HALF_DAY_HOURS * HOUR_MS)
    return trader.prices.round_to_tick(symbol, high)


def _top_up(trader: Trader) -> None:
    """At the end at least MIN_OWNED_USD of each coin is held."""
    for coin in COINS:
        missing = MIN_OWNED_USD - trader.value_usd(coin)
        if missing > 0:
            trader.market("BUY", f"{coin}_USD", trader.lots(f"{coin}_USD", missing + 100))


def _open_orders(trader: Trader) -> None:
    """A coin with a stop for all of it, two with one for a part, two without; orders on both sides that fill within
    minutes, one of them soon after the start.
    """
    for symbol, ratio in NEAR_BUYS.items():
        trader.limit(
            "BUY", symbol, trader.lots(symbol, Decimal(300)), trader.price_away(symbol, Decimal(ratio))
        )
    for symbol, ratio in (*NEAR_SELLS.items(), FAR_SELL):
        trader.limit(
            "SELL", symbol, trader.lots(symbol, Decimal(400)), trader.price_away(symbol, Decimal(ratio))
        )
    _protect(trader, f"{PROTECTED}_USD", trader.all_lots(PROTECTED), target="0.1", trigger="-0.05")
    _protect(trader, "SOL_USD", trader.lots("SOL_USD", Decimal(900)), target="0.006", trigger="-0.006")
    btc = trader.lots("BTC_USD", Decimal(1_000))
    trader.stop("BTC_USD", btc, trader.price_away("BTC_USD", Decimal("-0.03")))
    _buy_soon_filled(trader)


def _protect(trader: Trader, symbol: str, quantity: Decimal, *, target: str, trigger: str) -> None:
    prices = (trader.price_away(symbol, Decimal(ratio)) for ratio in (target, trigger))
    trader.oco(symbol, quantity, *prices)


def _buy_soon_filled(trader: Trader) -> None:
    now = trader.exchange.at_ms
    for begin, end in FIRST_FILL_MS:
        for symbol in (f"{coin}_USD" for coin in COINS if coin != PROTECTED):
            low = trader.lowest(symbol, now + begin, now + end)
            if low < trader.lowest(symbol, now, now + begin):
                trader.limit("BUY", symbol, trader.lots(symbol, Decimal(500)), low)
                return


class SeededRandom:
    """A sequence of draws, the same for the same seed on every machine."""

    def __init__(self, seed: int) -> None:
        self._key, self._draws = noise_key(seed, "life"), 0

    def random(self) -> float:
        self._draws += 1
        return (cell_noise(self._key, self._draws) + 1) / 2

    def between(self, low: int, high: int) -> Decimal:
        return Decimal(low + int(self.random() * (high - low)))

    def coin(self) -> str:
        return COINS[int(self.random() * len(COINS))]


class Trader:
    """Trades by the exchange's own rules at the exchange's present time. Refusals are raised.

    Amounts are in USD, distances are ratios of the last price.
    """

    def __init__(self, exchange: Exchange, prices: PriceProcess) -> None:
        self.exchange, self.prices = exchange, prices

    def last(self, symbol: str) -> Decimal:
        return self.prices.last(symbol, self.exchange.at_ms)

    def price_away(self, symbol: str, ratio: Decimal) -> Decimal:
        """A price on the tick, `ratio` above last (below when negative)."""
        tick = self.prices.market(symbol).price_tick
        return max(tick, floor_to(self.last(symbol) * (1 + ratio), tick))

    def lots(self, symbol: str, value: Decimal) -> Decimal:
        """A quantity on the grid, worth about `value` USD."""
        return floor_to(value / self.last(symbol), self.prices.market(symbol).qty_tick)

    def all_lots(self, coin: str) -> Decimal:
        """What is held of a coin, on the grid."""
        return floor_to(self.exchange.ledger.balance_of(coin), self.prices.market(f"{coin}_USD").qty_tick)

    def lowest(self, symbol: str, start_ms: int, end_ms: int) -> Decimal:
        """The lowest price of a time that lies ahead."""
        _, low = self.prices.high_low(symbol, start_ms, end_ms)
        return self.prices.round_to_tick(symbol, low)

    def value_usd(self, currency: str) -> Decimal:
        return self.exchange.ledger.balance_of(currency) * self.prices.usd(currency, self.exchange.at_ms)

    def market(self, side: str, symbol: str, quantity: Decimal, fee: str | None = None) -> Order:
        """`fee` is the token that pays the fee."""
        extra = {"fee_instrument_name": fee} if fee else {}
        return self._plain(side, symbol, "MARKET", quantity=decimal_text(quantity), **extra)

    def spend(self, symbol: str, value: Decimal) -> Order:
        """A market buy by notional, which ends CANCELED with fills (dossier 5.11.7)."""
        return self._plain("BUY", symbol, "MARKET", notional=decimal_text(value.quantize(Decimal("0.01"))))

    def limit(self, side: str, symbol: str, quantity: Decimal, price: Decimal) -> Order:
        return self._plain(side, symbol, "LIMIT", quantity=decimal_text(quantity), price=decimal_text(price))

    def limit_that_fills(self, side: str, symbol: str, quantity: Decimal) -> Order:
        """A limit order at a price that the market soon reaches; it fills in parts, a remainder is cancelled."""
        best, now, behaviour = (
            self._best_price_ahead(side, symbol),
            self.last(symbol),
            self.exchange.behaviour,
        )
        price = floor_to((best + 2 * now) / 3, self.prices.market(symbol).price_tick)
        self.exchange.behaviour = replace(behaviour, partial_fills=2)
        order = self.limit(side, symbol, quantity, price)
        self.wait(MAX_WAIT_MS)
        self.exchange.behaviour = behaviour
        self.cancel_order(order)
        return order

    def limit_unfilled(self, side: str, symbol: str, quantity: Decimal) -> Order:
        """A limit order that the market does not reach, cancelled after a few minutes."""
        best = self._best_price_ahead(side, symbol)
        sign = Decimal(-1 if side == "BUY" else 1)
        out_of_reach = floor_to(best * (1 + sign * Decimal("0.004")), self.prices.market(symbol).price_tick)
        order = self.limit(side, symbol, quantity, out_of_reach)
        self.wait(MAX_WAIT_MS)
        self.cancel_order(order)
        return order

    def limit_half_filled(self, side: str, symbol: str, quantity: Decimal) -> Order:
        """A limit order in a thin market: it takes the depth there is, and the remainder is cancelled."""
        lot = self.prices.market(symbol).qty_tick
        price = (self.prices.ask if side == "BUY" else self.prices.bid)(symbol, self.exchange.at_ms)
        self.exchange.liquidity[symbol] = floor_to(quantity * Decimal("0.4"), lot)
        order = self.limit(side, symbol, quantity, price)
        del self.exchange.liquidity[symbol]
        self.cancel_order(order)
        return order

    def stop(self, symbol: str, quantity: Decimal, trigger: Decimal) -> Order:
        return self._advanced(
            "STOP_LOSS", symbol, quantity=decimal_text(quantity), ref_price=decimal_text(trigger)
        )

    def oco(self, symbol: str, quantity: Decimal, target: Decimal, trigger: Decimal) -> str:
        """A sell pair of take-profit limit and stop-loss; returns the list id."""
        common = {"instrument_name": symbol, "side": "SELL", "quantity": decimal_text(quantity)}
        legs = [
            {**common, "type": "LIMIT", "price": decimal_text(target)},
            {**common, "type": "STOP_LOSS", "ref_price": decimal_text(trigger)},
        ]
        call = Call(
            method="private/advanced/create-oco",
            params={"order_list": legs},
            default_client_oid=self._request_reference(),
        )
        return order_lists.create_oco(self.exchange, call)["list_id"]

    def wait(self, ms: int) -> None:
        self.exchange.advance(self.exchange.at_ms + ms)

    def cancel_order(self, order: Order) -> None:
        if order.is_open:
            settlement.cancel_order(self.exchange, order)

    def _best_price_ahead(self, side: str, symbol: str) -> Decimal:
        now = self.exchange.at_ms
        high, low = self.prices.high_low(symbol, now, now + MAX_WAIT_MS)
        return self.prices.round_to_tick(symbol, low if side == "BUY" else high)

    def _plain(self, side: str, symbol: str, kind: str, **extra: str) -> Order:
        params = {"instrument_name": symbol, "side": side, "type": kind, **extra}
        call = Call(
            method="private/create-order", params=params, default_client_oid=self._request_reference()
        )
        return self._order("plain", order_entry.create_plain(self.exchange, call)["order_id"])

    def _advanced(self, kind: str, symbol: str, **extra: str) -> Order:
        params = {"instrument_name": symbol, "side": "SELL", "type": kind, **extra}
        call = Call(
            method="private/advanced/create-order",
            params=params,
            default_client_oid=self._request_reference(),
        )
        return self._order("advanced", order_entry.create_trigger(self.exchange, call)["order_id"])

    def _order(self, name_space: NameSpace, order_id: str) -> Order:
        return self.exchange.stores[name_space].by_id[order_id]

    def _request_reference(self) -> str:
        """Manual orders have no client id; the exchange assigns one."""
        return str(self.exchange.time_ns())
