"""Random histories of a protected account (Hypothesis): any verb of AccountActions, checked after each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from exchange.simulator.config import CHOICES
from exchange.simulator.faults import KINDS
from exchange.simulator.stream_options import STREAM_KINDS
from tests.oco.action_history import ActionHistory
from tests.oco.actions import COINS
from tests.oco.harness import PRICES
from tests.oco.kill_run import MODES

UNRELATED = (
    "nonce_rule",
    "id_type",
    "limit_type",
    "rate_window",
    "rate_refused_calls",
    "rate_penalty_ms",
    "rate_private",
)
BEHAVIOUR = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in CHOICES.items() if name not in UNRELATED}
)
SYMBOLS = st.sampled_from([*PRICES])
CURRENCIES = st.sampled_from([*COINS])
DOLLARS = st.sampled_from(["600", "1.5", "30", "5000"])
SHARES = st.sampled_from(["0.4", "1", "0.999", "0.05"])
NUMBERS = st.integers(0, 5)
SECONDS = st.sampled_from([60, 60, 60, 1, 5, 12, 30, 600, 90_000])
FALSE_FILLS = [{"traded_quantity": "0.1"}, {"traded_quantity": "0.001"}, {"traded_price": "1800"}]
METHODS = st.sampled_from(
    [
        *(
            "*",
            "private/*",
            "private/advanced/*",
            "*/create-*",
            "*/create-oco",
            "*/cancel-*",
            "*/get-open-orders",
        ),
        *(
            "*/get-order-detail",
            "*/get-order-history",
            "private/get-trades",
            "private/user-balance",
            "public/*",
        ),
        *("*/get-order-list-detail", "public/get-valuations"),
    ]
)
DETAILS: dict[str, list[dict[str, Any]]] = {
    "delay": [{"seconds": 2}, {"seconds": 12}],
    "refuse": [{"code": code} for code in (306, 42901, 40801, 50001, 315, 50007, 140001, 40101)],
    "http": [{"status": 502}, {"status": 503, "body": "json"}, {"status": 500, "body": "text"}],
    "process_later": [{"seconds": 3}, {"seconds": 8}, {"seconds": 25}],
    "stale": [{"age_s": 1}, {"age_s": 5}],
    "code_with_ids": [{"code": 315}, {"code": 306}],
    "missing_fields": [
        {"fields": [name]}
        for name in (
            "order_id",
            "client_oid",
            "status",
            "cumulative_quantity",
            "list_id",
            "ref_price",
            "quantity",
        )
    ],
    "hide_order": [{"seconds": 2}, {"seconds": 1800}],
    "lie": [
        {"values": values}
        for values in (
            {"cumulative_quantity": "1e59"},
            {"cumulative_quantity": "123456789", "status": "FILLED"},
            {"cumulative_quantity": "-1"},
            {"limit_price": "-1"},
            {"traded_price": "0"},
            {"traded_quantity": "1e28"},
            {"a": "-1", "b": "-1", "k": "-1"},
            {"update_time": 9_999_999_999_999},
        )
    ],
    "process_then_refuse": [{"code": code} for code in (40801, 50001, 120009)],
    "process_then_http": [{"status": 502}, {"status": 504, "body": "json"}],
    "truncate": [{"keep": 0.5}, {"keep": 0.95}],
    "slow_body": [{"seconds": 5}, {"seconds": 12}],
}
FREQUENCIES = [{"times": 1}, {"nth": 2}, {"times": 3}, {"every": 2}, {"every": 3}, {"probability": 0.5}]
FAULTS = st.sampled_from([*KINDS]).flatmap(
    lambda kind: st.builds(
        lambda detail, often: (kind, {**detail, **often}),
        st.sampled_from(DETAILS.get(kind, [{}])),
        st.sampled_from(FREQUENCIES),
    )
)
MOMENTS = st.one_of(
    st.tuples(st.sampled_from(["lease", "renewed", "send", "answer"]), st.integers(1, 14)),
    st.tuples(st.just("write"), st.integers(1, 40)),
)
REQUESTS = st.tuples(st.sampled_from(["lease", "renewed", "send", "answer"]), st.integers(1, 14))
DURING = st.one_of(
    st.tuples(st.just("fill_ours"), NUMBERS, SHARES),
    st.tuples(st.just("reach"), NUMBERS, st.sampled_from(["stop", "target"]), st.sampled_from(["0", "1"])),
    st.tuples(st.just("buy"), SYMBOLS, DOLLARS),
    st.tuples(st.just("cancel_leg"), NUMBERS),
    st.tuples(st.just("withdraw"), CURRENCIES, SHARES),
    st.tuples(st.just("release"), NUMBERS),
)

STREAM_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "advanced_spelling": st.sampled_from(["user.advance.order", "user.advanced.order"]),
        "snapshot_channel": st.just("channel"),
        "positions_first": st.just("answer"),
        "fresh_positions": st.just("zero_mark"),
        "event_order": st.just("trade_first"),
        "account_risk_s": st.sampled_from([1.0, 30.0]),
    },
)
STREAM_TOPICS = st.sampled_from(
    ["*", "user.*", "user.trade", "user.trade", "user.order", "user.advance*.order", "user.balance"]
)
STREAM_DETAILS: dict[str, list[dict[str, Any]]] = {
    "refuse": [{"code": code} for code in (40003, 40101, 40102, 40103, 42901, 50001)],
    "drop": [{"probability": 0.2}],
    "delay": [{"ms": ms} for ms in (300, 3000, 70_000)],
    "late_snapshot": [{"ms": 4000}, {"ms": 90_000}],
    "truncate": [{"keep": 0.5}, {"keep": 0.95}],
    "close": [{"code": code} for code in (1000, 1001, 1012)],
    "lie": [
        {"values": values}
        for values in (
            {"traded_quantity": "1e59"},
            {"traded_quantity": "-1"},
            {"traded_price": "0"},
            {"cumulative_quantity": "1e59"},
            {"cumulative_quantity": "123456789", "status": "FILLED"},
            {"quantity": "NaN"},
            {"instrument_name": "NONE_USD"},
            {"create_time_ns": "1"},
            {"create_time_ns": "9999999999999999999"},
        )
    ],
}
STREAM_FAULTS = st.sampled_from([*STREAM_KINDS]).flatmap(
    lambda kind: st.builds(
        lambda detail, often: (kind, {**often, **detail}),
        st.sampled_from(STREAM_DETAILS.get(kind, [{}])),
        st.sampled_from([{}, *FREQUENCIES]),
    )
)


class Machine(RuleBasedStateMachine):
    """One account. `number` chooses an order or group, modulo how many there are."""

    steps = 0
    steps_by_stream = Counter[str]()
    stream_modes: Sequence[str] = MODES
    failed: ActionHistory | None = None

    def __init__(self) -> None:
        super().__init__()
        self.history: ActionHistory | None = None

    @initialize(
        behaviour=BEHAVIOUR,
        rich=st.booleans(),
        backs=st.booleans(),
        breach=st.sampled_from(["EXIT", "EXIT", "ALERT"]),
        hand=st.sampled_from(["RESPECT", "RESPECT", "REPLACE"]),
        number=st.integers(0, len(MODES) - 1),
        options=STREAM_OPTIONS,
    )
    def begin(
        self,
        behaviour: dict[str, Any],
        rich: bool,
        backs: bool,
        breach: str,
        hand: str,
        number: int,
        options: dict[str, Any],
    ) -> None:
        stream = {
            "stream": self.stream_modes[number % len(self.stream_modes)],
            "stream_options": options,
        }
        self.history = ActionHistory({"rich": rich, "backs": backs, **stream, **behaviour})
        self.do("sync")
        for side in ("BUY", "SELL"):
            self.do("policy", side, on_breach=breach, on_hand_cancel=hand)

    def do(self, verb: str, *args: Any, **options: Any) -> None:
        Machine.steps += 1
        Machine.steps_by_stream[self.history.begin["stream"]] += 1
        self.guarded(lambda: self.history.do(verb, *args, **options))

    def guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            Machine.failed = self.history
            raise

    def teardown(self) -> None:
        if self.history is None:
            return
        try:
            if Machine.failed is not self.history:
                self.guarded(self.history.converge)
        finally:
            self.history.close()

    # cycles

    @rule(seconds=SECONDS)
    def sync(self, seconds: int) -> None:
        self.do("sync", seconds)

    @rule(seconds=SECONDS, moment=MOMENTS)
    def killed(self, seconds: int, moment: tuple[str, int]) -> None:
        self.do("killed", *moment, seconds)

    @rule(moment=REQUESTS)
    def suspended(self, moment: tuple[str, int]) -> None:
        self.do("suspended", *moment)

    @rule(moment=REQUESTS)
    def second_worker(self, moment: tuple[str, int]) -> None:
        self.do("second_worker", *moment)

    @rule(seconds=SECONDS, moment=REQUESTS, act=DURING)
    def during(self, seconds: int, moment: tuple[str, int], act: tuple[Any, ...]) -> None:
        self.do("during", *moment, *act, seconds=seconds)

    @rule()
    def slices(self) -> None:
        self.do("history")

    # what happens between them

    @rule(symbol=SYMBOLS, dollars=DOLLARS, fee=st.sampled_from(["", "USD", "USDT"]))
    def buy(self, symbol: str, dollars: str, fee: str) -> None:
        self.do("buy", symbol, dollars, fee)

    @rule(symbol=SYMBOLS, times=st.sampled_from([1, 3]))
    def dribble(self, symbol: str, times: int) -> None:
        self.do("dribble", symbol, times)

    @rule(symbol=SYMBOLS, values=st.sampled_from(FALSE_FILLS))
    def false_fill(self, symbol: str, values: dict[str, str]) -> None:
        self.do("false_fill", symbol, values)

    @rule(symbol=SYMBOLS, dollars=DOLLARS)
    def bid(self, symbol: str, dollars: str) -> None:
        self.do("bid", symbol, dollars)

    @rule(symbol=st.sampled_from(["BTC_USD", "ETH_USD"]), dollars=DOLLARS)
    def spend(self, symbol: str, dollars: str) -> None:
        self.do("spend", symbol, dollars)

    @rule(number=NUMBERS, share=SHARES)
    def fill(self, number: int, share: str) -> None:
        self.do("fill", number, share)

    @rule(number=NUMBERS, share=SHARES)
    def fill_ours(self, number: int, share: str) -> None:
        self.do("fill_ours", number, share)

    @rule(symbol=SYMBOLS, percent=st.sampled_from(["-3", "3", "-7", "12", "-30", "0.5"]))
    def move(self, symbol: str, percent: str) -> None:
        self.do("move", symbol, percent)

    @rule(
        number=NUMBERS,
        role=st.sampled_from(["stop", "target"]),
        beyond=st.sampled_from(["0", "1", "8", "-0.4"]),
    )
    def reach(self, number: int, role: str, beyond: str) -> None:
        self.do("reach", number, role, beyond)

    @rule(symbol=SYMBOLS, ratio=st.sampled_from(["0", "0.001", "-0.001", "0.03", "-0.06"]))
    def mark_gap(self, symbol: str, ratio: str) -> None:
        self.do("mark_gap", symbol, ratio)

    @rule(symbol=SYMBOLS, ratio=st.sampled_from([None, "0.001", "0.03", "0.15"]))
    def spread(self, symbol: str, ratio: str | None) -> None:
        self.do("spread", symbol, ratio)

    @rule(symbol=SYMBOLS, field=st.sampled_from(["price_tick_size", "qty_tick_size"]))
    def coarser(self, symbol: str, field: str) -> None:
        self.do("coarser", symbol, field)

    @rule(symbol=SYMBOLS, dollars=st.sampled_from([None, "0", "20", "400"]))
    def thin_market(self, symbol: str, dollars: str | None) -> None:
        self.do("thin_market", symbol, dollars)

    @rule(what=st.sampled_from(["cancel_leg", "cancel_list"]), number=NUMBERS)
    def cancel(self, what: str, number: int) -> None:
        self.do(what, number)

    @rule()
    def cancel_everything(self) -> None:
        self.do("cancel_everything")

    @rule(currency=CURRENCIES, share=SHARES)
    def sell(self, currency: str, share: str) -> None:
        self.do("sell", currency, share)

    @rule(currency=CURRENCIES, share=SHARES, force=st.booleans())
    def withdraw(self, currency: str, share: str, force: bool) -> None:
        self.do("withdraw", currency, share, force=force)

    @rule(share=SHARES, force=st.booleans())
    def withdraw_money(self, share: str, force: bool) -> None:
        self.do("withdraw", "USD", share, force=force)

    @rule(currency=CURRENCIES, dollars=DOLLARS)
    def deposit(self, currency: str, dollars: str) -> None:
        self.do("deposit", currency, dollars)

    @rule(
        what=st.sampled_from(["external_limit", "external_stop", "external_pair"]),
        currency=CURRENCIES,
        share=SHARES,
    )
    def external(self, what: str, currency: str, share: str) -> None:
        self.do(what, currency, share)

    @rule(quantity=st.sampled_from(["0", "0.5", "-2"]))
    def perpetual(self, quantity: str) -> None:
        self.do("perpetual", quantity)

    @rule(number=NUMBERS)
    def external_cancel(self, number: int) -> None:
        self.do("external_cancel", number)

    @rule(number=NUMBERS)
    def release(self, number: int) -> None:
        self.do("release", number)

    @rule(currency=CURRENCIES, dollars=DOLLARS)
    def protect(self, currency: str, dollars: str) -> None:
        self.do("protect", currency, dollars)

    @rule(off=st.booleans())
    def switch(self, off: bool) -> None:
        self.do("switch", off=off)

    @rule(add_fault=FAULTS, method=METHODS)
    def add_fault(self, add_fault: tuple[str, dict[str, Any]], method: str) -> None:
        self.do("add_fault", add_fault[0], method, **add_fault[1])

    @precondition(lambda self: self.history and self.history.actions.world.faults.rules)
    @rule()
    def clear_faults(self) -> None:
        self.do("clear_faults")

    # the stream

    @precondition(lambda self: self.has_stream("on", "failing"))
    @rule(how=st.sampled_from(["killed", "suspended", "second_worker"]), moment=REQUESTS)
    def awake(self, how: str, moment: tuple[str, int]) -> None:
        self.do("awake", how, *moment)

    @precondition(lambda self: self.has_stream("on", "failing"))
    @rule(nth=st.integers(1, 40))
    def awake_killed(self, nth: int) -> None:
        self.do("awake", "killed", "write", nth)

    @precondition(lambda self: self.has_stream("on", "failing"))
    @rule(moment=REQUESTS, act=DURING)
    def during_awake(self, moment: tuple[str, int], act: tuple[Any, ...]) -> None:
        self.do("awake", "during", *moment, *act)

    @precondition(lambda self: self.has_stream("failing"))
    @rule(stream_fault=STREAM_FAULTS, topic=STREAM_TOPICS)
    def stream_fault(self, stream_fault: tuple[str, dict[str, Any]], topic: str) -> None:
        self.do("stream_fault", stream_fault[0], topic, **stream_fault[1])

    @precondition(lambda self: self.has_stream("failing"))
    @rule(code=st.sampled_from([None, 1000, 1001]))
    def stream_drop(self, code: int | None) -> None:
        self.do("stream_drop", code)

    @precondition(lambda self: self.has_stream("failing"))
    @rule(yes=st.booleans())
    def stream_unreachable(self, yes: bool) -> None:
        self.do("stream_unreachable", yes=yes)

    @precondition(lambda self: self.has_stream("failing"))
    @rule()
    def clear_stream_faults(self) -> None:
        self.do("clear_stream_faults")

    def has_stream(self, *modes: str) -> bool:
        return self.history is not None and self.history.begin["stream"] in modes

    @rule(number=NUMBERS, seconds=st.sampled_from([5, 70, 1800]))
    def hide(self, number: int, seconds: int) -> None:
        self.do("hide", number, seconds)

    @rule(seconds=st.sampled_from([0, 0.4, -0.4, 20, -20, 61, -61]))
    def skew(self, seconds: float) -> None:
        self.do("skew", seconds)
