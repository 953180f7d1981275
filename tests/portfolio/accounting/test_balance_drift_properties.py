"""Trades, late lists, old balances: each transfer that lasts is told once, and nothing else."""

from dataclasses import dataclass, field
from decimal import Decimal as D
from itertools import accumulate
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.accounting.balance_drift import (
    SECOND_NS,
    BalanceReading,
    add_execution,
    compare_reading,
    initial_drift,
    is_significant,
)
from tests.share import examples

LOOKS = 5  # a minute apart, in which things happen
STILL = 4  # after them, in which nothing does
STRETCH_S = (LOOKS + STILL) * 60
SINCE_S = 120
LAG_S = 5
PRICE = D(1)


@dataclass(frozen=True)
class Happening:
    """An execution, listed `late_s` after it; or a transfer."""

    at_s: int
    amount: D
    is_trade: bool = False
    late_s: int = 0


@dataclass
class Account:
    """What happens to it, and what the desk makes of that."""

    happenings: list
    drift: Any = None
    listed: set = field(default_factory=set)

    def __post_init__(self):
        """What all transfers together had brought, after each of them."""
        moved = sorted((one for one in self.happenings if not one.is_trade), key=lambda one: one.at_s)
        self.levels = [D(0), *accumulate(one.amount for one in moved)]

    def holds(self, at_s):
        return sum((one.amount for one in self.happenings if one.at_s <= at_s), D(0))

    def unexplained(self, at_s):
        """What transfers brought until then, and what was traded before the desk looked."""
        counts = [one for one in self.happenings if not one.is_trade or one.at_s <= SINCE_S]
        return sum((one.amount for one in counts if one.at_s <= at_s), D(0))

    def list_trades(self, at_s):
        """Those that are listed by now; the newest of them."""
        new = [
            (n, one)
            for n, one in enumerate(self.happenings)
            if one.is_trade and n not in self.listed and one.at_s + one.late_s <= at_s
        ]
        for n, one in new:
            self.listed.add(n)
            if self.drift is not None:
                since = {"since_ns": SINCE_S * SECOND_NS}
                self.drift = add_execution(
                    self.drift, at_ns=one.at_s * SECOND_NS, quantity=one.amount, **since
                )
        return max((one.at_s for _, one in new), default=0)

    def look(self, at_s, lag_s, took_s):
        """The balance as it was `lag_s` before the read ended, and the executions listed by then."""
        times = {"from_ns": (at_s - took_s) * SECOND_NS, "until_ns": at_s * SECOND_NS}
        look = BalanceReading(quantity=self.holds(at_s - lag_s), price_usd=PRICE, **times)
        newest_s = self.list_trades(at_s)
        if self.drift is None:
            self.drift = initial_drift(look, traded_ns=newest_s * SECOND_NS)
            return
        before = self.drift
        self.drift, news = compare_reading(before, look)
        if news is not None:
            self.check(before, news, at_s)

    def check(self, before, news, at_s):
        """It is what transfers brought, it was so when it was first seen, and it lasted."""
        seen_s = before.seen_ns // SECOND_NS
        level = before.known + news.change
        now = [self.unexplained(moment) for moment in range(at_s - LAG_S, at_s + 1)]
        assert any(later - news.change in self.levels for later in self.levels)
        assert level in [self.unexplained(moment) for moment in range(seen_s - LAG_S, seen_s + 1)]
        assert any(not is_significant(one - level, PRICE) for one in now)
        assert at_s - seen_s >= 60
        assert is_significant(news.change, PRICE)
        assert news.is_back == (
            before.before is not None and not is_significant(before.seen - before.before, PRICE)
        )


def trade(amounts=(-7, -2, 1, 3, 11)):
    late = st.just(0) | st.integers(0, 55)  # listed a cycle later at most
    amount = st.sampled_from(amounts).map(D)
    moment = st.integers(1, 299) | st.integers(1, 5).map(lambda minute: 60 * minute - 2)
    return st.builds(Happening, moment, amount, is_trade=st.just(True), late_s=late)


def robot(one):
    """The same execution every minute, at the same second of it."""
    return [Happening(one.at_s % 60 + 60 * n, one.amount, True, one.late_s) for n in range(LOOKS)]


transfer = st.builds(  # never mistaken for executions
    Happening, st.integers(1, 299), st.sampled_from(["-2000", "-1000", "-0.4", "0.3", "1000", "3000"]).map(D)
)
bursts = st.builds(
    lambda trades, transfers, robots: trades + transfers + robots,
    st.lists(trade(), max_size=5),
    st.lists(transfer, max_size=3),
    st.one_of(st.just([]), trade().filter(lambda one: one.at_s % 60).map(robot)),
)
read = st.tuples(
    st.sampled_from([LAG_S, 0, 3]), st.integers(0, 3)
)  # how old its balance is, how long it took
cycles = st.lists(  # none was not complete; or another one was asked for before it
    st.none() | st.tuples(read, st.none() | st.integers(6, 54)), min_size=LOOKS, max_size=LOOKS
)


@settings(deadline=None, max_examples=examples(300))
@given(stretches=st.lists(st.tuples(bursts, cycles), min_size=2, max_size=5))
def test_each_lasting_transfer_is_told_once_and_nothing_else(stretches):
    """After each still stretch all that lasts must be known: told, or from before the desk had settled."""
    account = Account(
        [
            Happening(n * STRETCH_S + one.at_s, one.amount, one.is_trade, one.late_s)
            for n, (burst, _) in enumerate(stretches)
            for one in burst
        ]
    )
    for n, (_, looks) in enumerate(stretches):
        for k, cycle in enumerate(looks + [((0, 1), None)] * STILL, start=1):
            at_s = n * STRETCH_S + 60 * k
            if at_s == SINCE_S or (cycle and at_s > SINCE_S):
                (lag_s, took_s), early_s = cycle or ((0, 1), None)
                if early_s and at_s > SINCE_S:
                    account.look(at_s - early_s, lag_s, took_s)
                account.look(at_s, lag_s, took_s)
        assert not is_significant(account.drift.known - account.unexplained(at_s), PRICE)
