"""Whatever is observed, `decide` keeps its promises; and over any invented history it settles (rules 4 to 13)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from exchange.core.reasons import reason
from oco.engine.pricing import is_placeable, round_to_lot_size
from oco.engine.rules import decide
from oco.engine.states import FINAL, OPEN, State, advance, is_final
from oco.engine.types import Cancel, LegStatus, LookUp, Market, OrderKind, Place, RequestPrice, Role
from tests.oco.values import GRID, NOW, STARTED, STOP, TARGET, D, desired, leg, observed, sample
from tests.share import examples

PARTS = st.sampled_from([D(0), D("0.4"), D(1)])
RELEASED, OFF = reason("RELEASED_BY", name="alice"), reason("KILL_SWITCH_ON", name="alice")
MARKS = st.sampled_from(["80", "94.99", "95", "95.3", "100", "109.8", "110", "130"])


@st.composite
def legs(draw):
    """Any orders in any standing that could be on the record of one group."""
    found = []
    for generation in range(1, draw(st.integers(1, 3)) + 1):
        for role in draw(st.sampled_from([(STOP, TARGET), (STOP,), (Role.EXIT,)])):
            found.append(draw(_leg(role, generation)))
    return found


def _leg(role, generation):
    statuses = st.sampled_from(list(LegStatus))
    return st.builds(
        _one,
        st.just(role),
        st.just(generation),
        statuses,
        end_status=st.sampled_from(["FILLED", "CANCELED", "EXPIRED", "REJECTED"]),
        executed=PARTS,
        refused_code=st.sampled_from([None, 306, 50007, 42901]),
        end_code=st.sampled_from([0, 306]),
        **{
            name: st.booleans()
            for name in (
                "cancelled_by_us",
                "is_fresh",
                "sent_this_cycle",
                "cancel_sent_this_cycle",
                "looked_up_this_cycle",
            )
        },
    )


def _one(role, generation, status, *, end_status, executed, **changes):
    ended = status is LegStatus.ENDED
    sold = executed if ended or status is LegStatus.OPEN else D(0)
    return leg(
        role, status, generation=generation, end_status=end_status if ended else "", executed=sold, **changes
    )


@st.composite
def situations(draw):
    """A lot and what is known of it; also things that should never be, such as two live generations."""
    wanted = desired(
        owned=draw(st.sampled_from([D(0), D("0.005"), D("0.6"), D(1)])),
        order_quantity=draw(st.sampled_from([D(0), D("0.6"), D(1)])),
        has_shortfall=draw(st.booleans()),
        is_confirmed=draw(st.booleans()),
        target=draw(st.sampled_from([None, D(110)])),
        exits_when_stop_crossed=draw(st.booleans()),
        respects_manual_cancel=draw(st.booleans()),
        release_reason=draw(st.sampled_from([None, RELEASED])),
        entered_at=draw(st.sampled_from([None, NOW - timedelta(minutes=1), NOW - timedelta(days=1)])),
    )
    wanted = replace(wanted, order_quantity=min(wanted.order_quantity, wanted.owned))
    seen = observed(
        *draw(st.one_of(st.just([]), legs())),
        state=draw(st.sampled_from(sorted(State))),
        failures=draw(st.integers(0, 4)),
        last_active_at=draw(st.sampled_from([None, NOW - timedelta(minutes=1), NOW - timedelta(days=1)])),
        grace_at=draw(st.sampled_from([None, STARTED, NOW - timedelta(minutes=1)])),
        can_add=draw(st.booleans()),
        can_remove=draw(st.booleans()),
        no_create=draw(st.sampled_from([None, OFF])),
        market=draw(markets()),
    )
    return wanted, seen


@st.composite
def markets(draw):
    ages = st.sampled_from([0, 3, 6])
    samples = draw(
        st.lists(st.builds(sample, MARKS, bid=MARKS, ask=MARKS, published=MARKS, age=ages), max_size=2)
    )
    low = draw(st.sampled_from([None, D(90), D(99)]))
    return Market(
        samples=tuple(samples),
        worst_mark=low,
        worst_mark_read=draw(st.booleans()),
        is_unavailable=draw(st.booleans()),
    )


def placed(plan):
    return [action for action in plan.actions if isinstance(action, Place)]


def cancelled(plan):
    return [name for action in plan.actions if isinstance(action, Cancel) for name in action.client_oids]


@given(situations())
@settings(max_examples=examples(1500))
def test_the_promises_of_every_single_plan(situation):
    wanted, seen = situation
    plan = decide(wanted, seen)
    assert plan == decide(wanted, seen)
    live = [each for each in seen.legs if each.is_live]
    unknown = [each for each in seen.legs if each.status is LegStatus.UNKNOWN]
    advance(seen.state, plan.state)
    never_beside_another(plan, live, unknown)
    never_beyond_the_lot(plan, wanted)
    only_with_what_was_read(plan, seen)
    ends_on_evidence(plan, seen, live, unknown)
    covered_when_it_says_so(plan, seen, live)
    sells_only_as_allowed(plan, wanted, seen)


def never_beside_another(plan, live, unknown):
    assert not (placed(plan) and (live or unknown))
    assert len(plan.actions) <= 1


def never_beyond_the_lot(plan, wanted):
    for order in placed(plan):
        assert order.quantity <= wanted.order_quantity <= wanted.owned
        assert order.quantity == round_to_lot_size(order.quantity, GRID.quantity_tick)
        assert order.kind is OrderKind.EXIT or order.stop == wanted.stop
        assert order.target is None or order.target >= (wanted.target or 0)


def only_with_what_was_read(plan, seen):
    """Rules 11 and 13."""
    if placed(plan):
        assert seen.can_add
        assert not seen.no_create or placed(plan)[0].bypass_kill_switch
    if cancelled(plan):
        known = {each.client_oid: each for each in seen.legs}
        assert seen.can_remove
        assert all(known[name].status is LegStatus.OPEN for name in cancelled(plan))
        assert all(known[name].is_fresh and known[name].role is not Role.EXIT for name in cancelled(plan))


def ends_on_evidence(plan, seen, live, unknown):
    if is_final(plan.state) and not is_final(seen.state):
        assert not live
        assert not unknown
    if unknown and not is_final(seen.state):
        assert plan.state is State.UNKNOWN


def covered_when_it_says_so(plan, seen, live):
    """Rule 5. A group stays ACTIVE only while its stop rests or works, or its end is being written down."""
    if plan.state is State.ACTIVE and seen.state is not State.ACTIVE:
        assert any(each.role is STOP and each.status is LegStatus.OPEN for each in live)


def sells_only_as_allowed(plan, wanted, seen):
    """Rules 8 and 9: after a stop that sold, or when two looks agree and the policy and the time allow it."""
    for order in placed(plan):
        if order.kind is OrderKind.EXIT:
            sold = any(each.role is STOP and each.executed for each in seen.legs)
            samples = [each for each in seen.market.samples if NOW - each.at <= timedelta(seconds=5)]
            beyond = len(samples) == 2 and all(
                each.bid is not None and max(each.mark, each.published, each.bid) <= wanted.stop
                for each in samples
            )
            assert sold or (wanted.exits_when_stop_crossed and beyond)


# Histories: an exchange as small as can be, and everything that may happen to one lot.


@dataclass
class Toy:
    """One lot of 1 coin. Orders live in `legs`; `outcome` is what happens to the next request."""

    legs: list = field(default_factory=list)
    state: State = State.PENDING
    owned: object = D(1)
    mark: str = "100"
    outcome: str = "ok"
    generation: int = 0
    failures: int = 0
    cycle: int = 0
    release_reason: str = ""
    hand: bool = False
    grace: int | None = None

    def run_cycle(self):
        """Decide and act until nothing is left to do, as the reconciler does."""
        self.cycle += 1
        self.legs = [
            replace(each, sent_this_cycle=False, cancel_sent_this_cycle=False, looked_up_this_cycle=False)
            for each in self.legs
        ]
        samples = 0
        for _ in range(30):
            plan = decide(self.wanted(), self.seen(samples))
            self.state = advance(self.state, plan.state)
            self.grace = (self.grace or self.cycle) if plan.grace else None if self.covered() else self.grace
            if not plan.actions:
                return
            (action,) = plan.actions
            samples += isinstance(action, RequestPrice)
            self.act(action)
            self.promise()
        raise AssertionError(f"it does not settle within a cycle: {plan}")

    def wanted(self):
        return desired(owned=self.owned, release_reason=self.release_reason, respects_manual_cancel=self.hand)

    def seen(self, samples):
        market = Market(
            samples=(sample(self.mark),) * min(samples, 2),
            worst_mark=D(self.mark),
            worst_mark_read=samples > 0,
        )
        return observed(
            *self.legs,
            state=self.state,
            generation=self.generation,
            failures=self.failures,
            last_active_at=NOW if self.cycle > 1 else None,
            grace_at=None if self.grace is None else STARTED - timedelta(minutes=self.cycle - self.grace),
            market=market,
        )

    def act(self, action):
        if isinstance(action, Place):
            self.place(action)
        elif isinstance(action, Cancel):
            for name in action.client_oids:
                self.change(name, cancelled_by_us=True, cancel_sent_this_cycle=True)
                if self.outcome != "cancel is not done":
                    self.change(name, status=LegStatus.ENDED, end_status="CANCELED")
        elif isinstance(action, LookUp):
            for name in action.client_oids:
                self.change(name, looked_up_this_cycle=True)
                self.change(name, status=LegStatus.OPEN)
                self.sold_at_once(name)

    def place(self, order):
        outcome, self.outcome = self.outcome, "ok"
        roles = {OrderKind.PAIR: (STOP, TARGET), OrderKind.STOP: (STOP,), OrderKind.EXIT: (Role.EXIT,)}[
            order.kind
        ]
        status = {"refused": LegStatus.REFUSED, "answer lost": LegStatus.UNKNOWN}.get(outcome, LegStatus.OPEN)
        self.failures += outcome == "refused"
        self.generation = order.generation
        self.legs = [each for each in self.legs if each.generation != order.generation]
        for role in roles:
            price = {STOP: order.stop, TARGET: order.target}.get(role) or D(0)
            new = leg(
                role,
                status,
                generation=order.generation,
                quantity=order.quantity,
                price=price,
                sent_this_cycle=True,
            )
            self.legs.append(new)
            self.sold_at_once(new.client_oid)

    def sold_at_once(self, name):
        """A sale at the market that is known to exist has executed."""
        for one in self.live(Role.EXIT):
            if one.client_oid == name:
                self.sell(name, one.remaining)

    def change(self, name, **changes):
        self.legs = [replace(e, **changes) if e.client_oid == name else e for e in self.legs]

    def sell(self, name, quantity):
        (one,) = [each for each in self.legs if each.client_oid == name]
        quantity = min(quantity, one.remaining)
        self.owned -= quantity
        done = one.executed + quantity
        full = done == one.quantity
        ended = {"status": LegStatus.ENDED, "end_status": "FILLED"} if full else {}
        self.change(name, executed=done, **ended)

    def live(self, role=None):
        return [e for e in self.legs if e.is_live and role in (None, e.role)]

    def covered(self):
        return bool(self.live(STOP))

    # what may happen between two cycles

    def target_fills(self, share):
        """The exchange kills the stop when the target fills, wholly or in part."""
        for one in self.live(TARGET):
            self.sell(one.client_oid, (one.quantity * share).quantize(D("0.001")))
            self.end_all(STOP, "CANCELED", 130008)

    def stop_fires(self, share):
        for one in self.live(STOP):
            self.mark = "94"
            self.sell(one.client_oid, (one.quantity * share).quantize(D("0.001")))
            self.end_all(TARGET, "CANCELED", 130008)
            self.end_all(STOP, "CANCELED", 0)

    def end_all(self, role, end_status, code):
        for one in self.live(role):
            self.change(one.client_oid, status=LegStatus.ENDED, end_status=end_status, end_code=code)

    def hand_cancels(self, role):
        self.end_all(role, "CANCELED", 0)

    def coins_leave(self, share):
        self.owned = max(self.owned - (self.owned * share).quantize(D("0.001")), D(0))

    def promise(self):
        """Never two live orders for one purpose, never more than one generation works, never beyond the lot."""
        for role in Role:
            assert len(self.live(role)) <= 1
        assert len({each.generation for each in self.live()}) <= 1


EVENTS = st.one_of(
    st.tuples(st.just("target_fills"), st.sampled_from([D("0.1"), D("0.5"), D("0.995"), D(1)])),
    st.tuples(st.just("stop_fires"), st.sampled_from([D("0.5"), D(1)])),
    st.tuples(st.just("hand_cancels"), st.sampled_from([STOP, TARGET])),
    st.tuples(st.just("coins_leave"), st.sampled_from([D("0.5"), D(1)])),
    st.tuples(st.just("mark"), MARKS),
    st.tuples(st.just("outcome"), st.sampled_from(["refused", "answer lost", "cancel is not done", "ok"])),
    st.tuples(st.just("release_reason"), st.just("Released by alice.")),
)


@given(st.lists(EVENTS, max_size=12), st.booleans())
@settings(max_examples=examples(600))
@example([("target_fills", D("0.5")), ("outcome", "answer lost")], False)
@example([("stop_fires", D("0.5"))], True)
@example([("hand_cancels", STOP), ("outcome", "refused")], False)
def test_over_any_history_it_settles_and_leaves_nothing_behind(history, hand):
    toy = Toy(hand=hand)
    toy.run_cycle()
    for name, value in history:
        if name in ("mark", "outcome", "release_reason"):
            setattr(toy, name, value)
        else:
            getattr(toy, name)(value)
        toy.run_cycle()
    toy.outcome, toy.mark = "ok", "100"
    for _ in range(3):
        toy.run_cycle()
    it_is_settled(toy)


def it_is_settled(toy):
    before = list(toy.legs), toy.state
    toy.run_cycle()
    assert [replace(e, sent_this_cycle=False) for e in toy.legs] == [
        replace(e, sent_this_cycle=False, cancel_sent_this_cycle=False, looked_up_this_cycle=False)
        for e in before[0]
    ]
    if toy.state in FINAL:
        assert toy.live() == []
    else:
        assert toy.state in OPEN
        working = [each for each in toy.live(TARGET) if each.executed]
        rest = round_to_lot_size(toy.owned, GRID.quantity_tick)
        small = not is_placeable(rest, D(95), GRID)
        assert (toy.covered() and toy.live(STOP)[0].remaining == rest) or (working and small)
