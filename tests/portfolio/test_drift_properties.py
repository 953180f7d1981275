"""Whatever is traded, listed late and read from an old balance: each lasting transfer is told once, and nothing else."""

from dataclasses import dataclass, field
from decimal import Decimal as D

from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.worth.drift import LEARNING_NS, SECOND_NS, Drift, Look, compared, counted

EVERY_S = 60
STILL = 4  # looks in a stretch in which nothing happens
PRICE = D(1)


@dataclass(frozen=True)
class Happening:
    """An execution, listed `late_s` after it; or a transfer, whose thousands are never mistaken for executions."""

    at_s: int
    amount: D
    is_trade: bool
    late_s: int = 0


@dataclass
class Account:
    happenings: list
    drift: Drift
    listed: set = field(default_factory=set)
    told: list = field(default_factory=list)

    def true(self, at_s):
        return sum((one.amount for one in self.happenings if one.at_s <= at_s), D(0))

    def unexplained(self, at_s, since_s):
        """What transfers brought until then, and what was traded before the desk looked."""
        return sum(
            (
                one.amount
                for one in self.happenings
                if one.at_s <= at_s and not (one.is_trade and one.at_s > since_s)
            ),
            D(0),
        )

    def list_until(self, at_s, since_s):
        for n, one in enumerate(self.happenings):
            if one.is_trade and n not in self.listed and one.at_s + one.late_s <= at_s:
                self.listed.add(n)
                if one.at_s > since_s:
                    self.drift = counted(self.drift, at_ns=one.at_s * SECOND_NS, quantity=one.amount)


trades = st.builds(
    Happening,
    at_s=st.integers(0, 299),
    amount=st.sampled_from([D(-7), D(-2), D(1), D(3), D(11)]),
    is_trade=st.just(True),
    late_s=st.integers(0, 55),
)
transfers = st.builds(
    Happening,
    at_s=st.integers(0, 299),
    amount=st.sampled_from([D(-2000), D(-1000), D("-0.4"), D("0.3"), D(1000), D(3000)]),
    is_trade=st.just(False),
)
bursts = st.lists(st.one_of(trades, transfers), max_size=6)
looks = st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3))  # lag, is it complete, how long it took


@settings(deadline=None, max_examples=400)
@given(told=st.lists(st.tuples(bursts, st.lists(looks, min_size=5, max_size=5)), min_size=2, max_size=5))
def test_each_lasting_transfer_is_told_once_and_nothing_else(told):
    """Bursts of five minutes, each followed by a still stretch, after which all that lasts must have been told."""
    length = (5 + STILL) * EVERY_S
    happenings = [
        Happening(n * length + one.at_s, one.amount, one.is_trade, one.late_s)
        for n, (burst, _) in enumerate(told)
        for one in burst
    ]
    since_s = 2 * EVERY_S
    account = Account(happenings, Drift(since_ns=since_s * SECOND_NS))
    account.list_until(since_s, since_s)
    account.drift = Drift(since_ns=since_s * SECOND_NS, known=account.true(since_s - told[0][1][0][0]))
    for n, (_, cycles) in enumerate(told):
        for k, (lag, complete, took) in enumerate(cycles + [(0, True, 0)] * STILL):
            at_s = n * length + (k + 1) * EVERY_S
            if at_s > since_s and complete:
                look(account, at_s, lag, took, since_s)
        assert abs(account.drift.known - account.unexplained(at_s, since_s)) < 1


def look(account, at_s, lag, took, since_s):
    account.list_until(at_s, since_s)
    balance = account.true(at_s - lag)
    before = account.drift
    read = Look(
        quantity=balance, price_usd=PRICE, from_ns=(at_s - took) * SECOND_NS, until_ns=at_s * SECOND_NS
    )
    account.drift, news = compared(before, read)
    if news is None:
        is_learning = at_s * SECOND_NS - before.since_ns < 10 * LEARNING_NS
        assert account.drift.known == before.known or is_learning
        return
    first_s = before.seen_ns // SECOND_NS
    assert at_s - first_s >= 60
    levels = {account.unexplained(moment, since_s) - before.known for moment in range(first_s - 5, first_s + 1)}
    assert news.change in levels
    assert abs(news.change) >= 1
    lasted = [account.unexplained(moment, since_s) for moment in range(first_s, at_s - 4)]
    assert all(abs(level - before.known) >= 1 for level in lasted[-1:])
    assert news.is_back == (before.before is not None and abs(before.seen - before.before) < 1)
