"""The price of everything at any moment, past or future: a function of seed, symbol, time and hand moves."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from math import exp, log
from typing import Any, Self

from exchange.simulator.catalogue import Catalogue, Market, recorded_catalogue
from exchange.simulator.cells import Reach
from exchange.simulator.quotes import GAP_SWING, Quote, quotes
from exchange.simulator.shifts import Shifts
from exchange.simulator.tempo import Tempo
from exchange.simulator.volumes import Volumes

SPREAD = Decimal("0.00002")
MARK_DIGITS = 100  # mark is two digits finer than the tick

Step = tuple[int, Decimal, Decimal]


class Motion:
    """Prices at the origin are the recorded ones; after it time runs `speed` times as fast.

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
        self.seed, self.tempo, self.volatility = seed, Tempo(origin_ms, speed), volatility
        self.shifts = Shifts()
        self.volumes = Volumes(seed)
        self.mark_gaps: dict[str, float] = {}
        self._quotes = {quote.market.symbol: quote for quote in quotes(self.catalogue, seed, volatility)}
        self._starts = {symbol: quote.at(origin_ms) for symbol, quote in self._quotes.items()}
        self.raw = lru_cache(maxsize=4096)(self._raw)

    @property
    def symbols(self) -> list[str]:
        return list(self._quotes)

    def market(self, symbol: str) -> Market:
        """The instrument; KeyError when the catalogue does not have it."""
        return self._quotes[symbol].market

    def last(self, symbol: str, ms: int) -> Decimal:
        """The last traded price, a multiple of the price tick and never below one."""
        return self.on_tick(symbol, self.raw(symbol, ms))

    def on_tick(self, symbol: str, raw: float) -> Decimal:
        tick = self._quotes[symbol].market.price_tick
        return max(1, round(raw / float(tick))) * tick

    def mark(self, symbol: str, ms: int) -> Decimal:
        """The mark price: apart from last by a slow gap, two digits finer than the tick."""
        tick = self.market(symbol).price_tick / MARK_DIGITS
        return max(1, round(self.raw(symbol, ms) * (1 + self._gap(symbol, ms)) / float(tick))) * tick

    def bid(self, symbol: str, ms: int) -> Decimal:
        """The best bid: at or below last, at least one tick below the ask."""
        last, tick = self.last(symbol, ms), self.market(symbol).price_tick
        return max(tick, last - tick * (_spread_ticks(last, tick) // 2))

    def ask(self, symbol: str, ms: int) -> Decimal:
        """The best ask: at or above last."""
        last, tick = self.last(symbol, ms), self.market(symbol).price_tick
        return self.bid(symbol, ms) + tick * _spread_ticks(last, tick)

    def usd(self, currency: str, ms: int) -> Decimal:
        """What one unit of the currency is worth in USD; 0 when no market says."""
        if currency == "USD":
            return Decimal(1)
        if f"{currency}_USD" in self._quotes:
            return self.last(f"{currency}_USD", ms)
        if f"{currency}_USDT" in self._quotes:
            return self.last(f"{currency}_USDT", ms) * self.usd("USDT", ms)
        return Decimal(0)

    def before(self, symbol: str, ms: int) -> float:
        """The raw price as this moment comes, without a hand move of the moment itself."""
        quote = self._quotes[symbol]
        return self._price(quote, ms - 1, quote.at(self.tempo.tau(ms)))

    def reach(self, symbol: str, start_ms: int, end_ms: int) -> Reach:
        """Highest and lowest raw price from the first moment up to the second."""
        quote = self._quotes[symbol]
        edges = [start_ms, *self._hand_moves(symbol, start_ms, end_ms - 1), end_ms]
        reaches = [self._smooth_reach(quote, *edge) for edge in pairwise(edges)]
        return max(high for high, _ in reaches), min(low for _, low in reaches)

    def path(self, symbol: str, from_ms: int, to_ms: int, max_steps: int = 600) -> Iterator[Step]:
        """(ms, last, mark) after the first moment, up to and including the second and every hand move."""
        if to_ms <= from_ms:
            return
        moments = {to_ms, *self._hand_moves(symbol, from_ms, to_ms)}
        if self.volatility:
            moments.update(self.tempo.turns(from_ms, to_ms, max_steps))
        for ms in sorted(moments):
            yield ms, self.last(symbol, ms), self.mark(symbol, ms)

    def set_price(self, symbol: str, ms: int, price: Decimal) -> None:
        """From this moment last is `price`; it then goes on moving from there."""
        self._shift(symbol, ms, log(price) - log(self.raw(symbol, ms)))

    def move(self, symbol: str, ms: int, percent: Decimal | float) -> None:
        """From this moment last is `percent` per cent higher (lower when negative)."""
        self._shift(symbol, ms, log(1 + float(percent) / 100))

    def set_mark_gap(self, symbol: str, ratio: Decimal | float | None) -> None:
        """Hold mark at last * (1 + ratio); None lets it wander again."""
        if ratio is None:
            self.mark_gaps.pop(symbol, None)
        else:
            self.mark_gaps[symbol] = float(ratio)

    def to_state(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "origin_ms": self.tempo.origin_ms,
            "speed": self.tempo.speed,
            "volatility": self.volatility,
            "shifts": self.shifts.to_state(),
            "mark_gaps": self.mark_gaps,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], catalogue: Catalogue | None = None) -> Self:
        names = ("seed", "origin_ms", "speed", "volatility")
        motion = cls(catalogue, **{name: state[name] for name in names})
        motion.shifts = Shifts.from_state(state["shifts"])
        motion.mark_gaps = dict(state["mark_gaps"])
        return motion

    def _raw(self, symbol: str, ms: int) -> float:
        quote = self._quotes[symbol]
        return self._price(quote, ms, quote.at(self.tempo.tau(ms)))

    def _price(self, quote: Quote, ms: int, movement: float) -> float:
        moved = sum(sign * self.shifts.at(mover, ms) for mover, sign in quote.moved_by)
        wandered = (movement - self._starts[quote.market.symbol]) * self.volatility
        return exp(quote.log_price + wandered + moved)

    def _smooth_reach(self, quote: Quote, start_ms: int, end_ms: int) -> Reach:
        """Where no hand move lies between."""
        high, low = quote.reach(
            self.tempo.tau(start_ms), max(self.tempo.tau(end_ms), self.tempo.tau(start_ms) + 1)
        )
        return self._price(quote, start_ms, high), self._price(quote, start_ms, low)

    def _gap(self, symbol: str, ms: int) -> float:
        wandering = GAP_SWING * self.volatility * self._quotes[symbol].gap.at(self.tempo.tau(ms))
        return self.mark_gaps.get(symbol, wandering)

    def _shift(self, symbol: str, ms: int, offset: float) -> None:
        self.shifts.add(symbol, ms, offset)
        self.raw.cache_clear()

    def _hand_moves(self, symbol: str, after_ms: int, until_ms: int) -> list[int]:
        movers = self._quotes[symbol].moved_by
        return sorted({ms for mover, _ in movers for ms in self.shifts.moments(mover, after_ms, until_ms)})


def _spread_ticks(last: Decimal, tick: Decimal) -> int:
    return max(1, int(last * SPREAD / tick))
