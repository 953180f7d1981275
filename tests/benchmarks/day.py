"""`python -m tests.benchmarks.day`: a day of the desk with its stream, in simulated time.

Simulator, session, consumer and cycles run in one process on the clock of the simulated world: nothing waits for real
time, every answer takes `--latency` of simulated time, and the exchange counts requests by its limits. Cycles come as
the worker plans them: each minute, each 15 s while the stream is deaf, and when the stream wakes one. Old history is
read between them, and candles every five minutes. Entries, fills and movements of the market come at random, and so
do the stream's troubles: closed and reset connections, a server that nobody reaches, mute and dead connections.

The day is the same for the same seed. Its times are simulated: what the program itself computes takes none.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from tests.benchmarks import bench

import portfolio.signals.services  # isort: skip
from django.db.models import Min  # isort: skip
from exchange.core.times import NS_PER_MS, to_ms  # isort: skip
from exchange.models import SyncRun, Trade  # isort: skip
from exchange.services.stream_records import cycle_interval  # isort: skip
from exchange.stream.listener import StreamStatus  # isort: skip
from oco.models import LotTrade, OcoEvent  # isort: skip
from tests.benchmarks.live import quantile  # isort: skip
from tests.oco.actions import COINS, AccountActions  # isort: skip
from tests.oco.checks import unfinished, violations  # isort: skip

HOUR_S, STEP_S, CANDLES_S = 3600, 5, 300
TROUBLE_S = 600  # how long one lasts
ENTRIES_PER_HOUR, MOVES_PER_HOUR, FILLS_PER_HOUR, TROUBLES_PER_HOUR = 6, 30, 4, 0.5
PARTS = ("closed", "reset", "unreachable", "mute", "dead", "drops 20 %")


@dataclass
class Counts:
    """What the day brought; seconds by state of the stream, requests by hour."""

    troubles: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    requests: Counter[int] = field(default_factory=Counter)
    connections: int = 0
    entries: list[str] = field(default_factory=list)


class Day(AccountActions):
    """The account, its desk and what happens to both."""

    def __init__(self, seed: int, latency_s: float) -> None:
        super().__init__(stream="failing", limited=True)
        self.dice, self.counts = random.Random(seed), Counts()
        self.began = self.world.seconds()
        self.next_cycle = self.next_candles = self.began
        self.healed_at: float | None = None
        self.session = 0
        self.add_fault("delay", "*", seconds=latency_s)

    def run(self, seconds: float) -> None:
        while self.world.seconds() < self.began + seconds:
            before = self.world.seconds()
            self.tick(STEP_S)
            self._happen()
            self.listen()
            if self.world.seconds() >= self.next_cycle:
                self._cycle()
            if self.world.seconds() >= self.next_candles:
                self.next_candles += CANDLES_S
                portfolio.signals.services.market_update()
            self._note(self.world.seconds() - before)

    def _cycle(self) -> None:
        """As the worker plans it, and then what it reads of old history until the next one."""
        self.cycle(trigger="schedule")
        self.listen()
        self.history()
        interval = cycle_interval(now=self.now())
        self.next_cycle = self.world.seconds() + interval.total_seconds()

    def _note(self, seconds: float) -> None:
        hour = int((self.world.seconds() - self.began) // HOUR_S)
        self.counts.requests[hour] += len(self.requested)
        self.requested.clear()
        ears = self.feed.ears
        state = ears.listener.state if ears else None
        self.counts.states[state.status if state else StreamStatus.DOWN] += round(seconds * 1000)
        if state and state.session != self.session:
            self.counts.connections, self.session = self.counts.connections + 1, state.session

    # what happens

    def _happen(self) -> None:
        if self.healed_at is not None and self.world.seconds() >= self.healed_at:
            self.healed_at = None
            self.clear_stream_faults()
            self.stream_unreachable(yes=False)
        coin = self.dice.choice(sorted(COINS))
        if self._comes(ENTRIES_PER_HOUR):
            self._enter(COINS[coin])
        if self._comes(MOVES_PER_HOUR):
            self.move(COINS[coin], str(self.dice.choice([-1, 1]) * Decimal(self.dice.randint(1, 90)) / 100))
        if self._comes(FILLS_PER_HOUR):
            self.fill_ours(self.dice.randint(0, 50), "1")
        if self.healed_at is None and self._comes(TROUBLES_PER_HOUR):
            self._trouble(self.dice.choice(PARTS))

    def _comes(self, per_hour: float) -> bool:
        return self.dice.random() < per_hour * STEP_S / HOUR_S

    def _enter(self, symbol: str) -> None:
        known = len(self.world.exchange.trades.rows)
        self.buy(symbol, "600", "USD")
        self.counts.entries += [trade.trade_id for trade in self.world.exchange.trades.rows[known:]]

    def _trouble(self, what: str) -> None:
        self.counts.troubles[what] += 1
        if what in ("closed", "reset"):
            self.stream_drop(1001 if what == "closed" else None)
            return
        self.healed_at = self.world.seconds() + TROUBLE_S
        if what == "unreachable":
            self.stream_unreachable(yes=True)
        elif what == "mute":
            self.stream_fault("mute")
        elif what == "dead":
            self.stream_fault("dead", "user.*", times=1)
        else:
            self.stream_fault("drop", "*", probability=0.2)

    # what came of it

    def covers(self) -> list[float]:
        """Seconds from each entry's trade to its group's first ACTIVE."""
        lots = dict(LotTrade.objects.filter(trade_id__in=self.counts.entries).values_list("trade_id", "lot"))
        events = OcoEvent.objects.filter(new="ACTIVE", group__lot__in=lots.values())
        active: dict[int, datetime] = dict(events.values_list("group__lot").annotate(at=Min("at")))
        times = dict(Trade.objects.filter(trade_id__in=lots).values_list("trade_id", "create_time_ns"))
        return [
            (to_ms(active[lot]) - times[trade_id] / NS_PER_MS) / 1000
            for trade_id, lot in lots.items()
            if lot in active and trade_id in times
        ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--latency", type=int, default=80, help="of each request, in ms")
    options = parser.parse_args()
    bench.new_database("day")
    day = Day(options.seed, options.latency / 1000)
    try:
        with bench.measure() as spent:
            day.run(options.hours * HOUR_S)
        day.recover()
        for _ in range(3):
            day.sync()
        broken = [*violations(day), *unfinished(day)]
        report(day, options.hours, spent.cpu, broken)
    finally:
        day.close()
    return 1 if broken else 0


def report(day: Day, hours: float, cpu: float, broken: list[str]) -> None:
    counts, covers = day.counts, day.covers()
    runs = SyncRun.objects.filter(started_at__lt=day.now() - timedelta(minutes=3))
    codes = Counter(code for codes in runs.values_list("error_codes", flat=True) for code in codes)
    hourly = [count for hour, count in sorted(counts.requests.items()) if hour < hours]
    total = sum(counts.states.values()) or 1
    bench.title(f"{hours:g} hours of simulated life")
    rows = {
        "requests": f"{sum(hourly):,}; {sum(hourly) / hours:,.0f} an hour, at most {max(hourly):,}",
        "42901 answered": day.world.exchange.limits.refused,
        "cycles with other codes": _named(Counter(f"{code}" for code in codes.elements() if code != 42901)),
        "cycles": _named(Counter(runs.values_list("trigger", flat=True))),
        "status of cycles": _named(Counter(runs.values_list("status", flat=True))),
        "troubles of the stream": _named(counts.troubles),
        "connections": counts.connections,
        "the stream was": ", ".join(f"{name} {ms / total:.1%}" for name, ms in counts.states.most_common()),
        "entries": len(counts.entries),
        "trade → ACTIVE": "  ".join(
            f"{name} {quantile(covers, share):.2f} s"
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("most", 1.0))
        ),
        "promises broken": "; ".join(broken) or "none",
        "CPU of this program": f"{cpu:.0f} s",
    }
    for name, value in rows.items():
        print(f"  {name:<24} {value}")


def _named(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common()) or "–"


if __name__ == "__main__":
    sys.exit(main())
