"""One rule each: what is done about one group (rules 4 to 10)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from exchange.core.reasons import reason
from oco.engine.pricing import Grid
from oco.engine.rules import decide
from oco.engine.states import State
from oco.engine.types import (
    Cancel,
    LegStatus,
    LookUp,
    Market,
    OrderKind,
    Place,
    ReadInstrument,
    RequestPrice,
)
from tests.oco.values import (
    EXIT,
    NOW,
    STARTED,
    STOP,
    TARGET,
    D,
    desired,
    ended,
    leg,
    observed,
    pair,
    sample,
)

A, R = State.ACTIVE, State.REPLACING
OFF = reason("KILL_SWITCH_ON", name="alice")
CROSSED_MARKET = Market(samples=(sample(90), sample(90)))


def only(plan):
    """The one action of a plan."""
    (action,) = plan.actions
    return action


# placing


def test_the_market_is_asked_before_anything_is_placed():
    assert only(decide(desired(), observed())) == RequestPrice()


def test_a_pair_for_the_whole_lot():
    plan = decide(desired(), observed(mark=100))
    assert plan.state is State.PENDING
    assert only(plan) == Place(kind=OrderKind.PAIR, quantity=D(1), stop=D(95), target=D(110), generation=1)


def test_a_silent_market_is_not_asked_for_ever():
    plan = decide(desired(), observed(market=Market(is_unavailable=True)))
    assert (plan.state, plan.actions) == (State.PENDING, ())


def test_an_old_look_is_none():
    assert only(decide(desired(), observed(market=Market(samples=(sample(100, age=6),))))) == RequestPrice()


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ({}, {"can_add": False}),
        ({}, {"no_create": OFF}),
        ({"has_shortfall": True}, {}),
        ({"order_quantity": D(0)}, {}),
    ],
)
def test_without_reads_trading_or_coins_nothing_is_placed(wanted, seen):
    plan = decide(desired(**wanted), observed(mark=100, **seen))
    assert (plan.state, plan.actions) == (State.PENDING, ())
    assert plan.reason


def test_only_what_may_be_sold_is_covered():
    assert only(decide(desired(order_quantity=D("0.4567")), observed(mark=100))).quantity == D("0.456")


# unknown, refused, absent


def test_an_unknown_leg_is_looked_up_and_nothing_else_is_done():
    legs = leg(STOP, LegStatus.UNKNOWN), leg(TARGET)
    plan = decide(desired(owned=D(0)), observed(*legs, mark=100))
    assert (plan.state, only(plan)) == (State.UNKNOWN, LookUp((legs[0].client_oid,)))


def test_it_is_looked_up_once_a_cycle():
    plan = decide(desired(), observed(leg(STOP, LegStatus.UNKNOWN, looked_up_this_cycle=True)))
    assert (plan.state, plan.actions) == (State.UNKNOWN, ())


def refused(code=140001, *, roles=(STOP, TARGET), **changes):
    return [
        leg(role, LegStatus.REFUSED, refused_code=code, sent_this_cycle=True, **changes) for role in roles
    ]


def test_after_a_refused_pair_the_stop_goes_alone():
    action = only(decide(desired(), observed(*refused(), mark=100)))
    assert (action.kind, action.target, action.generation) == (OrderKind.STOP, None, 2)


@pytest.mark.parametrize("code", [306, 42901, 40101])
def test_but_not_when_a_stop_would_be_refused_for_the_same(code):
    assert decide(desired(), observed(*refused(code), mark=100)).actions == ()


@pytest.mark.parametrize("code", [40101, 40103, 40104])
def test_a_key_that_may_not_trade_is_an_alarm_at_once(code):
    plan = decide(desired(), observed(*refused(code), mark=100))
    assert (plan.state, plan.actions) == (State.STOP_FAILED, ())
    assert (plan.reason.code, plan.reason.exchange_code) == ("ORDER_NOT_ALLOWED", code)
    sold = [leg(EXIT, LegStatus.REFUSED, refused_code=code, sent_this_cycle=True)]
    assert decide(desired(), observed(*sold, market=CROSSED_MARKET)).state is State.STOP_FAILED


def test_a_refused_stop_waits_for_the_next_cycle():
    assert decide(desired(), observed(*refused(roles=(STOP,)), mark=100)).actions == ()
    later = [replace(each, sent_this_cycle=False) for each in refused(roles=(STOP,))]
    assert only(decide(desired(), observed(*later, mark=100))).kind is OrderKind.PAIR


def test_three_failures_are_an_alarm_that_goes_on_trying():
    plan = decide(desired(), observed(mark=100, failures=3))
    assert (plan.state, only(plan).kind) == (State.STOP_FAILED, OrderKind.PAIR)


def absent(**changes):
    return [leg(role, LegStatus.ABSENT, **changes) for role in (STOP, TARGET)]


def test_what_is_absent_is_sent_again_under_its_name():
    assert only(decide(desired(), observed(*absent(), mark=100))).generation == 1


def test_even_for_another_quantity_or_price_so_that_204_can_tell():
    assert only(decide(desired(order_quantity=D("0.5")), observed(*absent(), mark=100))).generation == 1
    assert only(decide(desired(), observed(*absent(), mark=120))).generation == 1


def test_after_a_refused_re_send_the_stop_alone_keeps_its_name_too():
    legs = absent(sent_this_cycle=True, refused_code=50007)
    action = only(decide(desired(), observed(*legs, mark=100, instrument_read=True)))
    assert (action.kind, action.generation) == (OrderKind.STOP, 1)


def test_what_was_turned_away_unread_is_tried_in_the_next_cycle():
    assert decide(desired(), observed(*absent(sent_this_cycle=True), mark=100)).actions == ()


# covered


def test_protected_means_both_legs_read_back_open():
    assert decide(desired(), observed(*pair())).state is A


def test_accepted_is_not_open():
    legs = leg(STOP, LegStatus.ACCEPTED), leg(TARGET)
    plan = decide(desired(), observed(*legs))
    assert (plan.state, plan.actions) == (State.PENDING, ())


def test_a_quiet_group_wants_nothing():
    assert decide(desired(), observed(*pair(), state=A)).actions == ()


def test_a_failed_read_changes_nothing():
    legs = pair(is_fresh=False)
    plan = decide(desired(), observed(*legs, state=A, can_add=False, can_remove=False))
    assert (plan.state, plan.actions) == (A, ())


def test_a_lot_that_shrank_is_covered_anew():
    plan = decide(desired(owned=D("0.6")), observed(*pair(), state=A, mark=100))
    assert (plan.state, only(plan)) == (R, Cancel(tuple(each.client_oid for each in pair())))


def test_not_on_the_word_of_one_read():
    plan = decide(desired(order_quantity=D("0.6"), is_confirmed=False), observed(*pair(), state=A, mark=100))
    assert (plan.state, plan.actions) == (A, ())


def test_more_is_covered_when_a_foreign_order_went_away():
    plan = decide(desired(owned=D(2)), observed(*pair(), state=A, mark=100))
    assert (plan.state, len(only(plan).client_oids)) == (R, 2)


def test_but_a_replacement_is_not_begun_while_trading_is_off():
    plan = decide(desired(owned=D(2)), observed(*pair(), state=A, mark=100, no_create=OFF))
    assert (plan.state, plan.actions) == (A, ())


def test_an_order_of_an_earlier_generation_is_taken_away():
    old, new = pair(generation=1), pair(generation=2)
    assert only(decide(desired(), observed(*old, *new, state=A))) == Cancel(tuple(e.client_oid for e in old))


# ends


@pytest.mark.parametrize(
    ("role", "state"),
    [(STOP, State.CLOSED_BY_STOP), (TARGET, State.CLOSED_BY_TARGET), (EXIT, State.CLOSED_BY_EXIT)],
)
def test_the_order_that_sold_it_closes_it(role, state):
    assert decide(desired(owned=D(0)), observed(ended(role, "FILLED", executed=D(1)), state=R)).state is state


def test_sold_otherwise_it_is_closed_by_hand():
    assert decide(desired(owned=D(0)), observed(ended(), state=R)).state is State.CLOSED_BY_HAND


def test_a_sibling_that_still_rests_is_cancelled_first():
    legs = ended(STOP, "FILLED", executed=D(1)), leg(TARGET)
    plan = decide(desired(owned=D(0)), observed(*legs, state=A))
    assert (plan.state, only(plan)) == (A, Cancel((legs[1].client_oid,)))


def test_a_cancel_is_sent_once_a_cycle():
    legs = ended(STOP, "FILLED", executed=D(1)), leg(TARGET, cancel_sent_this_cycle=True)
    assert decide(desired(owned=D(0)), observed(*legs, state=A)).actions == ()


def test_what_was_not_read_is_not_cancelled():
    legs = ended(STOP, "FILLED", executed=D(1)), leg(TARGET, is_fresh=False)
    assert decide(desired(owned=D(0)), observed(*legs, state=A)).actions == ()


def test_a_rest_too_small_for_an_order_is_told():
    plan = decide(desired(owned=D("0.005")), observed(ended(TARGET, executed=D("0.995")), state=R))
    assert plan.state is State.CLOSED_BY_TARGET
    assert plan.reason.following[0].params == {"quantity": "0.005"}


def test_an_order_behind_an_ended_group_is_cancelled():
    plan = decide(desired(owned=D(0)), observed(leg(), state=State.RELEASED))
    assert (plan.state, only(plan)) == (State.RELEASED, Cancel((leg().client_oid,)))


def test_a_person_takes_it_away():
    why = reason("RELEASED_BY", name="alice")
    wanted = desired(release_reason=why)
    assert only(decide(wanted, observed(*pair(), state=A, no_create=OFF)))
    gone = [ended(role, cancelled_by_us=True) for role in (STOP, TARGET)]
    plan = decide(wanted, observed(*gone, state=R))
    assert (plan.state, plan.reason) == (State.RELEASED, why)


# rule 8


def partly(**changes):
    return ended(STOP), leg(TARGET, executed=D("0.4"), **changes)


def test_a_target_filled_in_part_is_cancelled_to_arm_the_rest():
    plan = decide(desired(owned=D("0.6")), observed(*partly(), state=A, mark=100))
    assert (plan.state, only(plan)) == (R, Cancel((leg(TARGET).client_oid,)))


def test_near_the_target_it_works_one_more_cycle_and_only_one():
    wanted, legs = desired(owned=D("0.6")), partly()
    first = decide(wanted, observed(*legs, state=A, mark="109.8"))
    assert (first.state, first.actions, first.grace) == (R, (), True)
    still = decide(wanted, observed(*legs, state=R, mark="109.8", grace_at=STARTED))
    assert still.actions == ()
    over = decide(wanted, observed(*legs, state=R, mark="109.8", grace_at=STARTED - timedelta(seconds=57)))
    assert only(over) == Cancel((leg(TARGET).client_oid,))


def test_a_rest_below_the_minimum_is_left_to_it():
    legs = ended(STOP), leg(TARGET, executed=D("0.995"))
    assert decide(desired(owned=D("0.005")), observed(*legs, state=A, mark=100)).actions == ()


def test_nothing_is_taken_away_that_could_not_be_put_back():
    plan = decide(desired(owned=D("0.6")), observed(*partly(), state=A, mark=100, no_create=OFF))
    assert plan.actions == ()


def test_a_stop_that_is_selling_is_left_alone():
    legs = leg(STOP, executed=D("0.4")), ended(TARGET)
    plan = decide(desired(owned=D("0.6")), observed(*legs, state=A))
    assert (plan.state, plan.actions) == (A, ())


def test_what_a_stop_leaves_is_sold_at_once():
    legs = ended(STOP, executed=D("0.4")), ended(TARGET)
    plan = decide(desired(owned=D("0.6")), observed(*legs, state=A))
    assert (plan.state, only(plan)) == (
        State.EXITING,
        Place(kind=OrderKind.EXIT, quantity=D("0.6"), generation=2),
    )


# rule 9


def test_beyond_the_stop_two_looks_are_wanted():
    assert only(decide(desired(), observed(mark=90))) == RequestPrice()


def test_two_looks_that_agree_sell_the_lot():
    plan = decide(desired(), observed(market=CROSSED_MARKET))
    assert (plan.state, only(plan).kind) == (State.EXITING, OrderKind.EXIT)


@pytest.mark.parametrize(
    "second", [sample(90, bid=96), sample(90, published=96), replace(sample(90), bid=None), sample(90, age=6)]
)
def test_looks_that_do_not_agree_sell_nothing(second):
    plan = decide(desired(), observed(market=Market(samples=(second, sample(90)))))
    assert not any(isinstance(action, Place) for action in plan.actions)


def test_what_still_rests_goes_first():
    plan = decide(desired(), observed(ended(STOP, "REJECTED"), leg(TARGET), state=A, market=CROSSED_MARKET))
    assert (plan.state, only(plan)) == (State.EXITING, Cancel((leg(TARGET).client_oid,)))


@pytest.mark.parametrize("minutes", [16, 600])
def test_long_after_entry_and_cover_nothing_is_dumped(minutes):
    long_ago = NOW - timedelta(minutes=minutes)
    plan = decide(desired(entered_at=long_ago), observed(market=CROSSED_MARKET, last_active_at=long_ago))
    assert (plan.state, plan.actions) == (State.STOP_FAILED, ())


def test_soon_after_cover_it_is_sold():
    wanted = desired(entered_at=NOW - timedelta(days=3))
    gone = [ended(role, "EXPIRED") for role in (STOP, TARGET)]
    seen = observed(*gone, state=A, market=CROSSED_MARKET, last_active_at=NOW - timedelta(minutes=14))
    assert only(decide(wanted, seen)).kind is OrderKind.EXIT


def test_by_policy_only_an_alarm():
    plan = decide(desired(exits_when_stop_crossed=False), observed(market=CROSSED_MARKET))
    assert (plan.state, plan.actions) == (State.STOP_FAILED, ())


# rule 10


def by_hand(**changes):
    return [ended(role, **changes) for role in (STOP, TARGET)]


def low(value, mark=100):
    return Market(samples=(sample(mark),), worst_mark=value and D(value), worst_mark_read=True)


def test_a_pair_cancelled_by_hand_stays_so():
    legs = by_hand()
    asked = only(decide(desired(), observed(*legs, state=A, last_active_at=STARTED)))
    assert asked == RequestPrice(STARTED)
    assert decide(desired(), observed(*legs, state=A, market=low("96"))).state is State.RELEASED


@pytest.mark.parametrize("lowest", ["95", "90", None])
def test_not_if_mark_may_have_touched_the_stop(lowest):
    plan = decide(desired(), observed(*by_hand(), state=A, market=low(lowest)))
    assert only(plan).kind is OrderKind.PAIR


@pytest.mark.parametrize("changes", [{"cancelled_by_us": True}, {"end_code": 306}, {"end_status": "EXPIRED"}])
def test_nor_if_it_was_not_a_hand(changes):
    legs = [leg(role, LegStatus.ENDED, **({"end_status": "CANCELED"} | changes)) for role in (STOP, TARGET)]
    assert only(decide(desired(), observed(*legs, state=A, market=low("96")))).kind is OrderKind.PAIR


def test_nor_if_the_policy_says_replace():
    plan = decide(desired(respects_manual_cancel=False), observed(*by_hand(), state=A, market=low("96")))
    assert only(plan).kind is OrderKind.PAIR


def test_a_stop_gone_alone_takes_its_target_with_it():
    plan = decide(desired(), observed(ended(STOP), leg(TARGET), state=A, mark=100))
    assert (plan.state, only(plan)) == (R, Cancel((leg(TARGET).client_oid,)))


def alone(refused_after, *, opened):
    """A stop that is open alone, for its target was rejected so many seconds after the group was opened."""
    opened_at = NOW - timedelta(seconds=opened)
    target = ended(TARGET, "REJECTED", sent_at=opened_at + timedelta(seconds=refused_after))
    return observed(leg(STOP), target, state=A, mark=100, opened_at=opened_at)


@pytest.mark.parametrize(("refused_after", "opened"), [(0, 60), (120, 200), (600, 1199)])
def test_after_a_refused_target_the_stop_stays_alone_for_a_while(refused_after, opened):
    plan = decide(desired(), alone(refused_after, opened=opened))
    assert (plan.state, plan.actions, plan.reason.code) == (A, (), "STOP_CONFIRMED_OPEN")


@pytest.mark.parametrize(("refused_after", "opened"), [(0, 90), (120, 240), (600, 1200)])
def test_then_it_becomes_a_pair_again(refused_after, opened):
    plan = decide(desired(), alone(refused_after, opened=opened))
    assert (plan.state, only(plan)) == (R, Cancel((leg(STOP).client_oid,)))


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        ({"target": None}, {}),
        ({}, {"no_create": OFF}),
        ({}, {"last_price": D("95.1")}),
        ({}, {"market": Market(samples=(sample("95.1"),))}),
    ],
)
def test_unless_a_pair_is_neither_wanted_nor_possible(wanted, changes):
    plan = decide(desired(**wanted), replace(alone(0, opened=90), **changes))
    assert (plan.state, plan.actions) == (A, ())


def test_the_price_is_only_asked_when_the_ticker_allows_a_pair():
    seen = replace(alone(0, opened=90), market=Market())
    assert decide(desired(), replace(seen, last_price=D("95.1"))).actions == ()
    assert only(decide(desired(), replace(seen, last_price=D(100)))) == RequestPrice()


# rule 13


def test_a_replacement_that_has_begun_is_finished():
    gone = by_hand(cancelled_by_us=True)
    action = only(decide(desired(), observed(*gone, state=R, mark=100, no_create=OFF)))
    assert (action.kind, action.bypass_kill_switch) == (OrderKind.PAIR, True)


def test_a_sale_is_no_replacement():
    gone = by_hand(cancelled_by_us=True)
    plan = decide(desired(), observed(*gone, state=R, market=CROSSED_MARKET, no_create=OFF))
    assert plan.actions == ()


def test_a_stop_that_nobody_can_find_is_sent_again_under_its_name_while_it_may_live():
    hidden = leg(STOP, LegStatus.ABSENT, is_unresolved=True, generation=3)
    target = ended(TARGET, cancelled_by_us=True, generation=3)
    (order,) = decide(desired(), observed(hidden, target, state=State.REPLACING, mark=100)).actions
    assert (order.kind, order.generation, order.target) == (OrderKind.STOP, 3, None)


@pytest.mark.parametrize("changes", [{"is_unresolved": False}, {"executed": D("0.4")}])
def test_not_once_it_is_ruled_out_or_the_exchange_killed_it(changes):
    hidden = leg(STOP, LegStatus.ABSENT, is_unresolved=changes.get("is_unresolved", True), generation=3)
    target = ended(TARGET, executed=changes.get("executed", D(0)), cancelled_by_us=True, generation=3)
    seen = observed(hidden, target, state=State.REPLACING, mark=100)
    (order,) = decide(desired(owned=D(1) - target.executed), seen).actions
    assert (order.kind, order.generation) == (OrderKind.PAIR, 4)


# rounding and the spread are no move of the price (rules 3 and 9)

COARSE = Grid(price_tick=D("1E-9"), quantity_tick=D(1))
SUB_SATOSHI = {"owned": D(10**9), "stop": D("1.3E-8"), "target": D("1.5E-8"), "grid": COARSE}


def test_a_stop_that_rounding_lifts_to_the_entry_sells_nothing():
    seen = sample("1.25E-8", bid="1.2E-8", ask="1.3E-8", published="1.2E-8")
    plan = decide(desired(**SUB_SATOSHI, entry=D("1.3E-8")), observed(market=Market(samples=(seen, seen))))
    assert (plan.state, plan.actions, plan.reason.code) == (State.STOP_FAILED, (), "STOP_WITHIN_SPREAD")


def test_once_the_price_moved_by_a_tick_it_does():
    seen = sample("1.15E-8", bid="1.1E-8", ask="1.2E-8")
    plan = decide(desired(**SUB_SATOSHI, entry=D("1.3E-8")), observed(market=Market(samples=(seen, seen))))
    assert only(plan).kind is OrderKind.EXIT


def test_a_spread_wider_than_the_distance_sells_nothing():
    seen = sample(96, bid=90, ask=102)
    plan = decide(desired(stop=D(97), entry=D(102)), observed(market=Market(samples=(seen, seen))))
    assert (plan.state, plan.actions, plan.reason.code) == (State.STOP_FAILED, (), "STOP_WITHIN_SPREAD")
    assert plan.reason.params["clearance"] == "12"


@pytest.mark.parametrize("changes", [{"entered_at": None}, {"exits_when_stop_crossed": False}])
def test_and_says_so_whatever_the_policy_and_the_age(changes):
    seen = sample(96, bid=90, ask=102)
    plan = decide(desired(stop=D(97), entry=D(102), **changes), observed(market=Market(samples=(seen,))))
    assert plan.reason.code == "STOP_WITHIN_SPREAD"


@pytest.mark.parametrize("entry", [D(102), None])
def test_the_first_stop_of_a_group_keeps_clear_of_the_spread(entry):
    market = Market(samples=(sample(99, bid=96, ask=102),))
    plan = decide(desired(stop=D(95), entry=entry), observed(market=market))
    assert (plan.state, plan.actions, plan.reason.code) == (State.STOP_FAILED, (), "STOP_WITHIN_SPREAD")
    covered_before = observed(market=market, state=State.REPLACING, last_active_at=NOW)
    assert only(decide(desired(stop=D(95), entry=entry), covered_before)).kind is OrderKind.PAIR


def test_a_stop_that_the_price_came_close_to_is_placed_alone():
    plan = decide(desired(entry=D(100)), observed(market=Market(samples=(sample("95.01"),))))
    assert only(plan).kind is OrderKind.STOP


def test_a_stop_set_above_the_entry_counts_from_itself():
    wanted = desired(stop=D(120), target=D(140), entry=D(100))
    past = Market(samples=(sample(119), sample(119)))
    assert only(decide(wanted, observed(market=past, last_active_at=NOW))).kind is OrderKind.EXIT
    near = Market(samples=(sample("119.99", ask=121),) * 2)
    assert decide(wanted, observed(market=near, last_active_at=NOW)).actions == ()


def test_without_an_ask_nothing_shows_that_the_price_moved():
    seen = replace(sample(90), ask=None)
    plan = decide(desired(entry=D(100)), observed(market=Market(samples=(seen, seen))))
    assert (plan.state, plan.actions) == (State.PENDING, ())


def test_a_stop_is_not_cancelled_when_it_could_not_be_placed_again():
    market = Market(samples=(sample(99, bid=96, ask=102),))
    seen = observed(*pair(), state=State.PENDING, market=market)
    assert decide(desired(owned=D(2), entry=D(102)), seen).actions == ()


# the rules of the instrument


@pytest.mark.parametrize("code", [208, 213, 229, 308, 315, 415, 50002])
def test_a_refusal_that_speaks_of_the_rules_reads_them_again_once(code):
    legs = refused(code)
    assert only(decide(desired(), observed(*legs, mark=100))) == ReadInstrument()
    assert only(decide(desired(), observed(*legs, mark=100, instrument_read=True))).kind is OrderKind.STOP


def test_a_market_sale_refused_for_the_lot_size_reads_them_too():
    legs = [leg(EXIT, LegStatus.REFUSED, refused_code=213, sent_this_cycle=True)]
    seen = observed(*legs, market=CROSSED_MARKET)
    assert only(decide(desired(), seen)) == ReadInstrument()
    assert decide(desired(), replace(seen, instrument_read=True)).actions == ()


LARGE_LOTS = Grid(price_tick=D("0.01"), quantity_tick=D(10))


@pytest.mark.parametrize("is_untouched", [True, False])
def test_a_lot_size_that_grew_takes_no_cover_away(is_untouched):
    legs = pair(quantity=D(5))
    wanted = desired(owned=D(5), order_quantity=D(0), grid=LARGE_LOTS, is_untouched=is_untouched)
    plan = decide(wanted, observed(*legs, state=A, mark=100))
    assert (plan.state, plan.actions) == (A, ())


def test_but_a_lot_that_was_sold_leaves_none():
    legs = leg(STOP, quantity=D(5)), ended(TARGET, "FILLED", quantity=D(5), executed=D(5))
    plan = decide(desired(owned=D(0), order_quantity=D(0), grid=LARGE_LOTS), observed(*legs, state=A))
    assert only(plan) == Cancel((legs[0].client_oid,))
