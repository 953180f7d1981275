"""How the price of a symbol is put together from its currencies, so that all pairs of a currency agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from math import log

from exchange.simulator.catalogue import Catalogue, Market
from exchange.simulator.cells import LEAF_MS, PERIODS, Cells, Reach
from exchange.simulator.noise import DAY_MS, Noise, calm, walk

MARKET_SHARE, OWN_SHARE = 0.75, 0.66  # of a coin's daily move; squares add up to 1
WITHIN_A_DAY = 1.3  # measured: makes moves of minutes and hours as large as a random walk's
STABLE_SWING = 0.0003
GAP_SWING = 0.0008  # of mark against last
SAMPLES = 3  # least number of moments of a bar looked at when two currencies move

Leg = tuple[Cells, int]


@dataclass(frozen=True, slots=True)
class Quote:
    """What is constant about a symbol's price. `moved_by`: the symbols whose hand moves count, with a sign."""

    market: Market
    log_price: float
    legs: tuple[Leg, ...]
    gap: Noise
    moved_by: tuple[tuple[str, int], ...]

    def at(self, tau_ms: int) -> float:
        """The logarithm of the price, up to a constant."""
        return sum(sign * cells.at(tau_ms) for cells, sign in self.legs)

    def reach(self, start_ms: int, end_ms: int) -> Reach:
        """High and low of `at` from the first moment up to the second.

        Exact where one currency moves; for a pair of two the extremes of a few moments.
        """
        if len(self.legs) == 1 and self.legs[0][1] == 1:
            return self.legs[0][0].reach(start_ms, end_ms)
        step = next((period for period in PERIODS if period * SAMPLES <= end_ms - start_ms), LEAF_MS)
        edges = range(-(-start_ms // step) * step, end_ms, step)
        values = [self.at(tau) for tau in (start_ms, *edges, end_ms)]
        return max(values), min(values)


def currency_cells(catalogue: Catalogue, seed: int, currency: str) -> Cells:
    """The movement of the logarithm of a currency's USD value; coins partly follow the market together."""
    own, market = walk(seed, currency), walk(seed, "market")
    move = catalogue.move_of(currency)

    def coin(day: int) -> float:
        tau = day * DAY_MS
        return move * (MARKET_SHARE * market.at(tau) + OWN_SHARE * own.at(tau))

    def alone(day: int) -> float:
        return move * own.at(day * DAY_MS)

    return Cells(seed, currency, alone if currency in catalogue.apart else coin, move * WITHIN_A_DAY)


def stable_cells(seed: int, currency: str) -> Cells:
    """A stablecoin: near its starting value for ever."""
    swing = calm(seed, currency)
    return Cells(seed, currency, lambda day: STABLE_SWING * swing.at(day * DAY_MS), STABLE_SWING / 2)


def legs(catalogue: Catalogue, market: Market, cells: Callable[[str], Cells]) -> tuple[Leg, ...]:
    """Base against quote. A dollar coin as quote counts as a dollar: a few hundredths of a per cent."""
    base: tuple[Leg, ...] = ((cells(market.base), 1),)
    return base if market.quote in catalogue.stable | {"USD"} else (*base, (cells(market.quote), -1))


def moved_by(market: Market) -> tuple[tuple[str, int], ...]:
    """Moving BTC_USD moves the currency and so every symbol made of it; moving another moves only itself."""
    return tuple({f"{market.base}_USD": 1, f"{market.quote}_USD": -1, market.symbol: 1}.items())


def quotes(catalogue: Catalogue, seed: int, volatility: float) -> Iterator[Quote]:
    """The quotes of a whole catalogue; symbols share the movements of their currencies."""

    @cache
    def cells(currency: str) -> Cells:
        stable = currency in catalogue.stable
        return stable_cells(seed, currency) if stable else currency_cells(catalogue, seed, currency)

    for market in catalogue.markets.values():
        yield Quote(
            market=market,
            log_price=log(market.price),
            legs=legs(catalogue, market, cells) if volatility else (),
            gap=calm(seed, f"gap:{market.symbol}"),
            moved_by=moved_by(market),
        )
