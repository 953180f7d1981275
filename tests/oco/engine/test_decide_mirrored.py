"""What holds when coins are guarded holds mirrored when they are bought back (rule 4)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from oco.engine.context import GroupContext
from oco.engine.pricing import ExitSide
from oco.engine.rules import decide
from oco.engine.states import State
from oco.engine.types import Cancel, LookUp, Market, OrderKind, Place
from tests.oco.engine.test_decide_properties import situations
from tests.oco.values import D, desired, observed, sample
from tests.share import examples

ABOUT = D(200)  # 95 below 100 is 105 above it


def flip(price):
    return None if price is None else ABOUT - price


def mirrored(wanted, seen):
    samples = tuple(
        replace(
            each, mark=flip(each.mark), published=flip(each.published), bid=flip(each.ask), ask=flip(each.bid)
        )
        for each in seen.market.samples
    )
    legs = tuple(replace(each, price=flip(each.price)) if each.price else each for each in seen.legs)
    market = replace(seen.market, samples=samples, worst_mark=flip(seen.market.worst_mark))
    return (
        replace(wanted, exit_side=ExitSide.BUY, stop=flip(wanted.stop), target=flip(wanted.target)),
        replace(seen, legs=legs, market=market),
    )


def shape(plan):
    """All of a plan but its words and where its target was moved to."""
    return plan.state, plan.grace, [_shape(action) for action in plan.actions]


def _shape(action):
    if isinstance(action, Place):
        return (
            action.kind,
            action.quantity,
            action.generation,
            action.bypass_kill_switch,
            action.target is None,
        )
    return (type(action), action.client_oids) if isinstance(action, Cancel | LookUp) else action


@given(situations())
@settings(max_examples=examples(1500))
def test_the_mirrored_plan_is_the_plan_mirrored(situation):
    plan, back = decide(*situation), decide(*mirrored(*situation))
    assert shape(back) == shape(plan)
    wanted, _ = mirrored(*situation)
    for order in back.actions:
        if isinstance(order, Place):
            assert order.kind is OrderKind.EXIT or order.stop == wanted.stop
            assert order.target is None or order.target <= wanted.target
            assert wanted.stop < order.max_buy_price <= wanted.stop * D("1.03")


def test_what_sells_has_no_ceiling():
    (order,) = decide(desired(), observed(mark=100)).actions
    assert order.max_buy_price is None


def test_only_the_ask_tells_whether_a_purchase_is_due():
    wanted = desired(exit_side=ExitSide.BUY, stop=D(105), target=D(90), entry=D(100))
    ctx = GroupContext(wanted, observed())
    assert not ctx.is_past_stop(sample(106, bid=104, ask="104.99"))
    assert ctx.is_past_stop(sample(106, bid=104, ask=105))


def test_a_purchase_is_not_due_because_of_the_spread():
    wanted = desired(exit_side=ExitSide.BUY, stop=D(105), target=D(90), entry=D(100))
    market = Market(samples=(sample(106, bid=100, ask=112),) * 2)
    plan = decide(wanted, observed(market=market))
    assert (plan.state, plan.actions, plan.reason.code) == (State.STOP_FAILED, (), "STOP_WITHIN_SPREAD")


def test_the_words_are_those_of_buying():
    wanted = desired(exit_side=ExitSide.BUY, stop=D(105), target=D(90), exits_when_stop_crossed=False)
    why = decide(wanted, observed(mark=106)).reason
    assert (why.code, why.params) == ("STOP_CROSSED_BY_POLICY", {"side": "BUY"})


def test_above_the_ceiling_nothing_is_bought_and_a_person_is_told():
    wanted = desired(exit_side=ExitSide.BUY, stop=D(105), target=D(90))
    far = tuple(replace(sample(mark), ask=D(mark)) for mark in ("108.15", "108.16"))
    at, above = (observed(market=Market(samples=(each, each))) for each in far)
    assert [action.kind for action in decide(wanted, at).actions] == [OrderKind.EXIT]
    assert (decide(wanted, above).state, decide(wanted, above).actions) == (State.STOP_FAILED, ())
