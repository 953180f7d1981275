"""The markets of the simulator and their prices at any moment, past or future.

Instruments, ticks, starting prices and daily volumes come from recorded answers of the exchange (catalogue.json).
The price of a symbol is put together from the movements of its currencies, so that all pairs of a currency agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from math import exp, log
from typing import Any, Self

from exchange.simulator.instruments import PricePoint
from exchange.simulator.price_model import (
    DAY_MS,
    HOUR_MS,
    LEAF_MS,
    MINUTE_MS,
    PERIODS,
    Cells,
    HighLow,
    MarketClock,
    Noise,
    PriceOverrides,
    bounded_noise,
    random_walk,
)

PERPETUAL = "PERPETUAL_SWAP"
MARKET_WEIGHT, OWN_WEIGHT = 0.75, 0.66  # shares of a coin's daily move; their squares add up to 1
INTRADAY_FACTOR = 1.3  # measured: makes moves of minutes and hours as large as a random walk's
STABLE_SWING = 0.0003
GAP_SWING = 0.0008  # of mark against last
MIN_SAMPLES = 3  # price samples per time window of a pair whose two currencies both move
SPREAD = Decimal("0.00002")
MARK_STEPS_PER_TICK = 100  # mark has two digits more than the tick
VOLUME_PERIODS = (MINUTE_MS, HOUR_MS, DAY_MS)
VOLUME_VARIATION = (
    0.1  # 3 (steepest slope of noise) * 3 periods * 0.1 must stay below 1, or the total could fall
)
CurrencyLeg = tuple[Cells, int]


# The catalogue of markets


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One instrument: its recorded wire row, and the recorded last price and daily volume."""

    row: Mapping[str, Any]
    symbol: str
    base: str
    quote: str
    price_tick: Decimal
    qty_tick: Decimal
    price: Decimal
    volume: Decimal
    open_interest: str | None

    @property
    def is_perpetual(self) -> bool:
        return bool(self.row["inst_type"] == PERPETUAL)

    @property
    def is_margin(self) -> bool:
        """Supported for margin or collateral use, which narrows the price band (dossier 5.11.6)."""
        return bool(self.row["margin_buy_enabled"] or self.row["margin_sell_enabled"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All markets by symbol, and the typical daily move of each currency (ratio of its USD value).

    `stable` currencies barely move; `independent` ones do not follow the market of the others.
    """

    markets: Mapping[str, Market]
    daily_move: Mapping[str, float]
    default_daily_move: float
    stable: frozenset[str]
    independent: frozenset[str]

    def daily_move_of(self, currency: str) -> float:
        return self.daily_move.get(currency, self.default_daily_move)

    def indexes(self) -> dict[str, str]:
        perpetuals = (market for market in self.markets.values() if market.is_perpetual)
        return {market.row["underlying_symbol"]: f"{market.base}_{market.quote}" for market in perpetuals}


@cache
def recorded_catalogue() -> Catalogue:
    text = resources.files(__package__).joinpath("catalogue.json").read_text(encoding="utf-8")
    return catalogue_from_data(json.loads(text))


def catalogue_from_data(data: Mapping[str, Any]) -> Catalogue:
    markets = [market_from_record(record) for record in data["markets"]]
    return Catalogue(
        markets={market.symbol: market for market in markets},
        daily_move={currency: float(move) for currency, move in data["daily_move"].items()},
        default_daily_move=float(data["default_daily_move"]),
        stable=frozenset(data["stable"]),
        independent=frozenset(data["apart"]),
    )


def market_from_record(record: Mapping[str, Any]) -> Market:
    row, ticker = record["instrument"], record["ticker"]
    return Market(
        row=row,
        symbol=row["symbol"],
        base=row["base_ccy"],
        quote=row["quote_ccy"],
        price_tick=Decimal(row["price_tick_size"]),
        qty_tick=Decimal(row["qty_tick_size"]),
        price=Decimal(ticker["a"]),
        volume=Decimal(ticker["v"]),
        open_interest=ticker["oi"],
    )


# How the price of a symbol is composed


@dataclass(frozen=True, slots=True)
class Quote:
    """The constant parts of a symbol's price. `override_sources`: symbols whose price overrides apply, with a sign."""

    market: Market
    log_price: float
    legs: tuple[CurrencyLeg, ...]
    gap: Noise
    override_sources: tuple[tuple[str, int], ...]

    def at(self, at_market_ms: int) -> float:
        """The logarithm of the price, up to a constant."""
        return sum(sign * cells.at(at_market_ms) for cells, sign in self.legs)

    def high_low(self, start_ms: int, end_ms: int) -> HighLow:
        """High and low of `at`: exact where one currency moves, sampled where two do."""
        if len(self.legs) == 1 and self.legs[0][1] == 1:
            return self.legs[0][0].high_low(start_ms, end_ms)
        step = next((period for period in PERIODS if period * MIN_SAMPLES <= end_ms - start_ms), LEAF_MS)
        edges = range(-(-start_ms // step) * step, end_ms, step)
        values = [self.at(market_ms) for market_ms in (start_ms, *edges, end_ms)]
        return max(values), min(values)


def quotes(catalogue: Catalogue, seed: int, volatility: float) -> Iterator[Quote]:
    """The quotes of all markets; symbols share the movements of their currencies."""

    @cache
    def cells(currency: str) -> Cells:
        stable = currency in catalogue.stable
        return stable_cells(seed, currency) if stable else currency_cells(catalogue, seed, currency)

    for market in catalogue.markets.values():
        yield Quote(
            market=market,
            log_price=log(market.price),
            legs=legs(catalogue, market, cells) if volatility else (),
            gap=bounded_noise(seed, f"gap:{market.symbol}"),
            override_sources=override_sources(market),
        )


def currency_cells(catalogue: Catalogue, seed: int, currency: str) -> Cells:
    """The movement of the logarithm of a currency's USD value; coins partly follow a common market."""
    own, market = random_walk(seed, currency), random_walk(seed, "market")
    move = catalogue.daily_move_of(currency)

    def with_market(day: int) -> float:
        market_ms = day * DAY_MS
        return move * (MARKET_WEIGHT * market.at(market_ms) + OWN_WEIGHT * own.at(market_ms))

    def own_only(day: int) -> float:
        return move * own.at(day * DAY_MS)

    return Cells(
        seed, currency, own_only if currency in catalogue.independent else with_market, move * INTRADAY_FACTOR
    )


def stable_cells(seed: int, currency: str) -> Cells:
    """A stablecoin: always near its starting value."""
    swing = bounded_noise(seed, currency)
    return Cells(seed, currency, lambda day: STABLE_SWING * swing.at(day * DAY_MS), STABLE_SWING / 2)


def legs(catalogue: Catalogue, market: Market, cells: Callable[[str], Cells]) -> tuple[CurrencyLeg, ...]:
    """Base against quote. A stable quote counts as the dollar; the error is a few hundredths of a per cent."""
    base: tuple[CurrencyLeg, ...] = ((cells(market.base), 1),)
    return base if market.quote in catalogue.stable | {"USD"} else (*base, (cells(market.quote), -1))


def override_sources(market: Market) -> tuple[tuple[str, int], ...]:
    """Moving BTC_USD moves the currency and so every symbol with it; moving another symbol moves only itself."""
    return tuple({f"{market.base}_USD": 1, f"{market.quote}_USD": -1, market.symbol: 1}.items())


# Traded volume


class Volumes:
    """The recorded daily volume of each market, spread unevenly over time.

    It is a running total that only grows, so the volumes of all timeframes add up.
    """

    def __init__(self, seed: int) -> None:
        self._variation = Noise(
            seed, "volume", ((period, VOLUME_VARIATION * period) for period in VOLUME_PERIODS)
        )

    def between(self, market: Market, start_ms: int, end_ms: int) -> Decimal:
        """Base quantity traded in [start_ms, end_ms), on the quantity grid."""
        return (self._total(market, end_ms) - self._total(market, start_ms)) * market.qty_tick

    def _total(self, market: Market, ms: int) -> int:
        ticks_per_ms = float(market.volume / market.qty_tick) / DAY_MS
        return int((ms + self._variation.at(ms)) * ticks_per_ms)


# Prices


class PriceProcess:
    """The price process: a function of seed, symbol, time and price overrides.

    Prices at the origin are the recorded ones; after it market time runs `speed` times as fast.
    `volatility` scales every movement; with 0 prices move only when set, and mark equals last.
    """

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        *,
        seed: int,
        origin_ms: int,
        speed: float = 1,
        volatility: float = 1,
    ) -> None:
        self.catalogue = catalogue or recorded_catalogue()
        self.seed, self.clock, self.volatility = seed, MarketClock(origin_ms, speed), volatility
        self.overrides = PriceOverrides()
        self.volumes = Volumes(seed)
        self.mark_gaps: dict[str, float] = {}
        self.spreads: dict[str, float] = {}
        self.rules: dict[str, dict[str, Any]] = {}
        self._quotes = {quote.market.symbol: quote for quote in quotes(self.catalogue, seed, volatility)}
        self._starts = {symbol: quote.at(origin_ms) for symbol, quote in self._quotes.items()}
        self.raw = lru_cache(maxsize=4096)(self._raw)

    @property
    def symbols(self) -> list[str]:
        return list(self._quotes)

    def market(self, symbol: str) -> Market:
        """KeyError when the catalogue has no such symbol."""
        return self._quotes[symbol].market

    def last(self, symbol: str, ms: int) -> Decimal:
        """The last traded price, a multiple of the price tick, at least one tick."""
        return self.round_to_tick(symbol, self.raw(symbol, ms))

    def round_to_tick(self, symbol: str, raw: float) -> Decimal:
        tick = self._quotes[symbol].market.price_tick
        return max(1, round(raw / float(tick))) * tick

    def mark(self, symbol: str, ms: int) -> Decimal:
        """The mark price: last and a slowly moving gap, two digits finer than the tick."""
        tick = self.market(symbol).price_tick / MARK_STEPS_PER_TICK
        return max(1, round(self.raw(symbol, ms) * (1 + self._mark_gap(symbol, ms)) / float(tick))) * tick

    def bid(self, symbol: str, ms: int) -> Decimal:
        """The best bid: at or below last, at least one tick below the ask."""
        last, tick = self.last(symbol, ms), self.market(symbol).price_tick
        return max(tick, last - tick * (self._spread_ticks(symbol, last) // 2))

    def ask(self, symbol: str, ms: int) -> Decimal:
        last, tick = self.last(symbol, ms), self.market(symbol).price_tick
        return self.bid(symbol, ms) + tick * self._spread_ticks(symbol, last)

    def usd(self, currency: str, ms: int) -> Decimal:
        """The value of one unit in USD; 0 when no market has it."""
        if currency == "USD":
            return Decimal(1)
        if f"{currency}_USD" in self._quotes:
            return self.last(f"{currency}_USD", ms)
        if f"{currency}_USDT" in self._quotes:
            return self.last(f"{currency}_USDT", ms) * self.usd("USDT", ms)
        return Decimal(0)

    def raw_before(self, symbol: str, ms: int) -> float:
        """The raw price at this moment without a price override of the moment itself."""
        quote = self._quotes[symbol]
        return self._price(quote, ms - 1, quote.at(self.clock.market_ms(ms)))

    def high_low(self, symbol: str, start_ms: int, end_ms: int) -> HighLow:
        """Highest and lowest raw price of the time window."""
        quote = self._quotes[symbol]
        edges = [start_ms, *self._override_times(symbol, start_ms, end_ms - 1), end_ms]
        ranges = [self._smooth_high_low(quote, *edge) for edge in pairwise(edges)]
        return max(high for high, _ in ranges), min(low for _, low in ranges)

    def path(self, symbol: str, from_ms: int, to_ms: int, max_steps: int = 600) -> Iterator[PricePoint]:
        """(ms, last, mark) in (from_ms, to_ms], at every price override and at up to `max_steps` turning points."""
        if to_ms <= from_ms:
            return
        times_between = {to_ms, *self._override_times(symbol, from_ms, to_ms)}
        if self.volatility:
            times_between.update(self.clock.turning_points(from_ms, to_ms, max_steps))
        for ms in sorted(times_between):
            yield ms, self.last(symbol, ms), self.mark(symbol, ms)

    def set_price(self, symbol: str, ms: int, price: Decimal) -> None:
        """From this moment last is `price`, and moves on from there."""
        self._override(symbol, ms, log(price) - log(self.raw(symbol, ms)))

    def move(self, symbol: str, ms: int, percent: Decimal | float) -> None:
        """From this moment last is `percent` per cent higher."""
        self._override(symbol, ms, log(1 + float(percent) / 100))

    def set_mark_gap(self, symbol: str, ratio: Decimal | float | None) -> None:
        """Hold mark at last * (1 + ratio); None lets it move again."""
        if ratio is None:
            self.mark_gaps.pop(symbol, None)
        else:
            self.mark_gaps[symbol] = float(ratio)

    def set_spread(self, symbol: str, ratio: Decimal | float | None) -> None:
        """Hold best bid and best ask last * ratio apart; None for the usual spread."""
        if ratio is None:
            self.spreads.pop(symbol, None)
        else:
            self.spreads[symbol] = float(ratio)

    def change_rules(self, symbol: str, changes: Mapping[str, Any]) -> None:
        """The instrument has other rules from now on: fields of its wire row, such as `price_tick_size`."""
        known = self.market(symbol)
        if unknown := changes.keys() - known.row.keys():
            raise ValueError(f"an instrument has no {', '.join(sorted(unknown))}")
        row = {**known.row, **changes}
        price_tick, qty_tick = Decimal(row["price_tick_size"]), Decimal(row["qty_tick_size"])
        market = replace(known, row=row, price_tick=price_tick, qty_tick=qty_tick)
        self._quotes[symbol] = replace(self._quotes[symbol], market=market)
        self.rules[symbol] = {**self.rules.get(symbol, {}), **changes}

    def _spread_ticks(self, symbol: str, last: Decimal) -> int:
        ratio = Decimal(str(self.spreads[symbol])) if symbol in self.spreads else SPREAD
        return max(1, int(last * ratio / self.market(symbol).price_tick))

    def to_state(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "origin_ms": self.clock.origin_ms,
            "speed": self.clock.speed,
            "volatility": self.volatility,
            "shifts": self.overrides.to_state(),
            "mark_gaps": self.mark_gaps,
            "spreads": self.spreads,
            "rules": self.rules,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], catalogue: Catalogue | None = None) -> Self:
        names = ("seed", "origin_ms", "speed", "volatility")
        prices = cls(catalogue, **{name: state[name] for name in names})
        prices.overrides = PriceOverrides.from_state(state["shifts"])
        prices.mark_gaps = dict(state["mark_gaps"])
        prices.spreads = dict(state.get("spreads", {}))  # since 0.2.0
        for symbol, changes in state.get("rules", {}).items():
            prices.change_rules(symbol, changes)
        return prices

    def _raw(self, symbol: str, ms: int) -> float:
        quote = self._quotes[symbol]
        return self._price(quote, ms, quote.at(self.clock.market_ms(ms)))

    def _price(self, quote: Quote, ms: int, movement: float) -> float:
        moved = sum(sign * self.overrides.at(source, ms) for source, sign in quote.override_sources)
        drifted = (movement - self._starts[quote.market.symbol]) * self.volatility
        return exp(quote.log_price + drifted + moved)

    def _smooth_high_low(self, quote: Quote, start_ms: int, end_ms: int) -> HighLow:
        """For a window without price overrides inside."""
        high, low = quote.high_low(
            self.clock.market_ms(start_ms),
            max(self.clock.market_ms(end_ms), self.clock.market_ms(start_ms) + 1),
        )
        return self._price(quote, start_ms, high), self._price(quote, start_ms, low)

    def _mark_gap(self, symbol: str, ms: int) -> float:
        drifting = GAP_SWING * self.volatility * self._quotes[symbol].gap.at(self.clock.market_ms(ms))
        return self.mark_gaps.get(symbol, drifting)

    def _override(self, symbol: str, ms: int, offset: float) -> None:
        self.overrides.add(symbol, ms, offset)
        self.raw.cache_clear()

    def _override_times(self, symbol: str, after_ms: int, until_ms: int) -> list[int]:
        movers = self._quotes[symbol].override_sources
        return sorted(
            {ms for source, _ in movers for ms in self.overrides.times_between(source, after_ms, until_ms)}
        )
