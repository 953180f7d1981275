"""`python -m tests.benchmarks.signals`: 100 instruments × 4 timeframes × 300 bars, in seconds of the CPU."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from tests.benchmarks import bench

from exchange.core.database import chunks  # isort: skip
from exchange.models import Candle  # isort: skip
from exchange.core.times import Timeframe

from portfolio.models import Signal  # isort: skip
from portfolio.signals.services import series_of, signals_compute  # isort: skip
from portfolio.signals.strategy import compute_signal  # isort: skip

INSTRUMENTS, BARS, ROUNDS = 100, 300, 3
GOAL_SECONDS = 2
NOW = datetime(2026, 8, 1, 0, 5, tzinfo=UTC)  # every timeframe has just closed a bar
NAMES = [f"COIN{n}_USD" for n in range(INSTRUMENTS)]


def main() -> None:
    bench.title(f"Signals: {INSTRUMENTS} instruments × {len(Timeframe)} timeframes × {BARS} bars")
    bench.new_database()
    store()
    spent = {
        "all: read the bars, compute, write": min(whole(), key=lambda one: one.cpu),
        "  of it: indicators and signals": min(computing(), key=lambda one: one.cpu),
        "five minutes later, no new bar": nothing_new(),
    }
    heads = ["", "CPU", "wall", "statements"]
    bench.table(
        heads, [[what, bench.ms(one.cpu), bench.ms(one.wall), one.queries] for what, one in spent.items()]
    )
    said = Signal.objects.filter(is_latest=True).exclude(action="").count()
    cpu = next(iter(spent.values())).cpu
    verdict = "met" if cpu <= GOAL_SECONDS and said == INSTRUMENTS * len(Timeframe) else "MISSED"
    print(f"  {said} signals; goal: {GOAL_SECONDS} s of CPU for all: {verdict}")
    sys.exit(verdict != "met")


def store() -> None:
    rows = [row for name in NAMES for timeframe in Timeframe for row in bars(name, timeframe)]
    for part in chunks(rows):
        Candle.objects.bulk_create(part)


def bars(name: str, timeframe: Timeframe) -> Iterator[Candle]:
    """A random walk of closed bars, and the unfinished one after them."""
    dice = np.random.default_rng([len(name), NAMES.index(name), list(Timeframe).index(timeframe)])
    closes = 60_000 * np.cumprod(1 + dice.normal(0, 0.005, BARS + 1))
    bar_start = timeframe.bar_start(NOW)
    for number, close in enumerate(closes):
        yield Candle(
            instrument_name=name,
            timeframe=timeframe,
            opened_at=bar_start - (BARS - number) * timeframe.length,
            open=Decimal(f"{close:.2f}"),
            high=Decimal(f"{close * 1.004:.2f}"),
            low=Decimal(f"{close * 0.996:.2f}"),
            close=Decimal(f"{close:.2f}"),
            volume=Decimal("12.34567"),
            is_closed=number < BARS,
            read_at=NOW,
        )


def whole() -> Iterator[bench.Measurement]:
    """What the task does when every series has a new bar."""
    for _ in range(ROUNDS):
        Signal.objects.all().delete()
        with bench.measure() as spent:
            signals_compute(instrument_names=NAMES, now=NOW)
        yield spent


def computing() -> Iterator[bench.Measurement]:
    series = [series_of(name, timeframe) for name in NAMES for timeframe in Timeframe]
    for _ in range(ROUNDS):
        with bench.measure() as spent:
            for one in series:
                compute_signal(one, now=NOW)
        yield spent


def nothing_new() -> bench.Measurement:
    with bench.measure() as spent:
        signals_compute(instrument_names=NAMES, now=NOW)
    return spent


if __name__ == "__main__":
    main()
