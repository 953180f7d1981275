"""Every random history that ever broke a promise, made small. The names say what was wrong."""

import pytest

from tests.oco.action_history import play

pytestmark = pytest.mark.usefixtures("transactional_db")
FACES_APART = {"triggered_in_plain": "shown", "exchange_order_id": "never"}


def do(verb, *args, **options):
    return verb, args, options


def test_a_foreign_sale_with_the_number_of_our_stop_counted_as_its_fill():
    play(
        {"order_id_ranges": "overlapping"},
        [do("sync"), do("buy", "BTC_USD", "600", "USDT"), do("sell", "BTC", "0.999")],
    )


def test_the_plain_face_of_a_leg_hid_the_leg_when_both_were_adopted_by_name():
    play(
        FACES_APART,
        [
            do("sync"),
            do("buy", "SHIB_USD", "5000", "USD"),
            do("buy", "SHIB_USD", "600", "USDT"),
            do("suspended", "answer", 11),
        ],
    )


def test_a_sale_whose_ids_nothing_explains_kept_a_lost_pair_unknown_for_ever():
    play(
        {"exchange_order_id": "never"},
        [
            do("sync"),
            do("spend", "BTC_USD", "600"),
            do("spend", "BTC_USD", "30"),
            do("spend", "ETH_USD", "5000"),
            do("killed", "lease", 12, 30),
            do("reach", 2, "stop", "1"),
        ],
    )


def test_a_target_that_was_open_once_and_hid_was_taken_for_absent_and_doubled():
    play(
        {},
        [
            do("sync"),
            do("buy", "BTC_USD", "600"),
            do("sync"),
            do("fill_ours", 0, "0.4"),
            do("fill_ours", 1, "0.4"),
            do("hide", 0, 1800),
            do("sync"),
            do("sync"),
            do("sync"),
        ],
    )


def test_a_foreign_pair_that_shows_in_both_name_spaces_took_its_coins_twice():
    play(
        {**FACES_APART, "ack_delay_ms": 2000},
        [do("external_pair", "ETH", "0.4"), do("sell", "ETH", "1"), do("sync"), do("buy", "ETH_USD", "600")],
    )


@pytest.mark.parametrize("nth", [8, 9, 10])
def test_asleep_between_the_lease_and_the_signature_it_sent_an_order_without_the_lease(nth):
    play({}, [do("sync"), do("buy", "BTC_USD", "600", "USD"), do("suspended", "renewed", nth)])


@pytest.mark.parametrize("ids", ["with_ids", "without_ids", "later"])
def test_a_lot_that_fell_below_a_dollar_was_offered_and_rejected_cycle_after_cycle(ids):
    play(
        {"refusal_ids": ids, "rich": False},
        [
            do("sync"),
            do("buy", "BTC_USD", "1.5", "USD"),
            do("move", "BTC_USD", "-30"),
            do("sync"),
            do("sync"),
        ],
    )


def test_a_lot_of_which_a_little_was_left_shrank_by_its_dust_cycle_after_cycle_and_stood_bare():
    play(
        {"ack_delay_ms": 2000},
        [
            do("sync"),
            do("spend", "ETH_USD", "5000"),
            do("spend", "BTC_USD", "5000"),
            do("buy", "SHIB_USD", "5000"),
            do("during", "lease", 13, "withdraw", "BTC", "0.999", seconds=12),
            do("during", "renewed", 3, "withdraw", "BTC", "0.4", seconds=60),
        ],
    )


def test_a_whole_lot_closed_by_hand_when_its_quote_fell_and_it_was_worth_too_little():
    play(
        {"rich": False},
        [
            do("sync"),
            do("spend", "BTC_USD", "30"),
            do("sell", "BTC", "0.05"),
            do("sync", 1),
            do("buy", "ETH_BTC", "1.5", "USD"),
            do("buy", "ETH_USD", "5000", "USDT"),
            do("reach", 5, "stop", "0"),
            do("move", "BTC_USD", "-30"),
            do("move", "BTC_USD", "-7"),
            do("sync", 60),
            do("buy", "BTC_USD", "30", ""),
            do("during", "lease", 9, "reach", 2, "target", "1", seconds=90000),
            do("history"),
            do("second_worker", "answer", 8),
            do("reach", 2, "target", "1"),
        ],
    )


def test_what_a_hidden_stop_sold_was_taken_for_coins_that_left_otherwise():
    play(
        {"rich": False},
        [
            do("sync"),
            do("buy", "ETH_USD", "600", ""),
            do("sync"),
            do("hide", 1, 1800),
            do("fill_ours", 3, "0.4"),
            do("sync"),
            do("sync"),
        ],
    )


def test_coins_asked_for_by_hand_before_their_trades_came_to_light_are_protected_once():
    play(
        {"rich": False},
        [
            do("sync", 600),
            do("spend", "ETH_USD", "5000"),
            do("killed", "answer", 6, 90000),
            do("second_worker", "lease", 1),
            do("protect", "ETH", "30"),
        ],
    )


def test_a_pair_was_placed_for_all_of_a_lot_of_which_a_look_had_just_found_a_part_sold():
    play(
        {"oco_remainder": "canceled", "cancel_delay_ms": 2000},
        [
            do("sync"),
            do("add_fault", "without_ids", "*/get-order-detail", times=3),
            do("buy", "ETH_USD", "600", "USD"),
            do("sync", 1),
            do("fill_ours", 2, "0.4"),
            do("sync", 90000),
        ],
    )


def test_a_target_cancelled_by_hand_was_judged_in_its_cycle_of_grace():
    play(
        {"oco_leg_cancel": "one"},
        [
            do("during", "lease", 11, "reach", 1, "stop", "1", seconds=90_000),
            do("buy", "BTC_USD", "1.5", "USD"),
            do("second_worker", "answer", 1),
            do("cancel_leg", 2),
        ],
    )


def test_a_fill_of_a_buy_was_taken_by_our_stop_of_the_same_number():
    play(
        {"order_id_ranges": "overlapping"},
        [
            do("sync"),
            do("bid", "ETH_BTC", "5000"),
            do("fill", 5, "0.999"),
            do("bid", "BTC_USD", "5000"),
            do("second_worker", "lease", 7),
            do("fill", 1, "0.4"),
        ],
    )


def test_a_worker_that_had_waited_until_the_lease_ran_out_was_taken_for_a_second_one():
    play(
        {},
        [
            do("add_fault", "slow_body", "private/user-balance", seconds=12, every=3),
            do("second_worker", "send", 10),
            do("sync", 60),
            do("second_worker", "lease", 7),
        ],
    )


def test_a_target_that_the_exchange_ended_for_want_of_coins_looks_as_if_a_hand_had_cancelled_it():
    play(
        {"rich": False},
        [
            do("suspended", "answer", 6),
            do("spend", "ETH_USD", "600"),
            do("sync", 600),
            do("withdraw", "ETH", "0.4", force=True),
            do("perpetual", "-2"),
            do("during", "renewed", 8, "reach", 4, "target", "1", seconds=60),
        ],
    )


def test_a_buy_was_lost_when_its_trades_were_answered_empty_twice_in_ten_minutes():
    play(
        {},
        [
            do("perpetual", "0.5"),
            do("add_fault", "empty", "private/*", probability=0.5),
            do("killed", "lease", 14, 600),
            do("during", "lease", 3, "cancel_leg", 2, seconds=12),
            do("buy", "BTC_USD", "5000", "USD"),
            do("killed", "write", 3, 60),
            do("killed", "lease", 14, 600),
        ],
    )


def test_a_buy_was_lost_when_its_order_and_its_trades_were_answered_empty_after_a_gap():
    play(
        {},
        [
            do("add_fault", "empty", "*", every=2),
            do("perpetual", "-2"),
            do("during", "send", 10, "withdraw", "ETH", "1", seconds=90_000),
            do("buy", "SHIB_USD", "1.5"),
            do("killed", "answer", 7, 600),
            do("during", "lease", 8, "buy", "BTC_USD", "30", seconds=60),
        ],
    )


def test_a_sale_of_somebody_else_with_the_number_and_size_of_our_stop_was_taken_for_its_plain_face():
    play(
        {"rich": False, "order_id_ranges": "overlapping"},
        [
            do("policy", on_breach="ALERT", on_hand_cancel="REPLACE"),
            do("sync", 600),
            do("spend", "BTC_USD", "5000"),
            do("buy", "SHIB_USD", "30"),
            do("second_worker", "answer", 8),
            do("cancel_everything"),
            do("release", 3),
            do("sync", 1),
            do("cancel_everything"),
            do("external_limit", "SHIB", "1"),
        ],
    )


def test_a_purchase_far_above_the_ceiling_was_tried_in_every_cycle():
    play({"backs": True}, [do("sync"), do("sell", "SHIB", "1"), do("move", "SHIB_USD", "12")])


def test_a_stop_that_hid_while_its_target_was_cancelled_alone_was_doubled():
    play(
        {"ack_delay_ms": 200, "oco_leg_cancel": "one"},
        [
            do("sync"),
            do("bid", "BTC_USD", "5000"),
            do("fill", 2, "0.999"),
            do("second_worker", "lease", 10),
            do("hide", 1, 1800),
            do("during", "renewed", 6, "buy", "ETH_BTC", "1.5", seconds=1),
            do("second_worker", "send", 8),
        ],
    )


def test_a_pair_that_was_due_again_in_the_last_cycle_was_taken_for_restlessness():
    play(
        {"cancel_delay_ms": 200, "oco_min_distance": "half_percent"},
        [
            do("sync"),
            do("bid", "ETH_BTC", "30"),
            do("move", "BTC_USD", "-7"),
            do("move", "ETH_USD", "3"),
            do("fill", 2, "0.999"),
        ],
    )


def test_a_narrow_cycle_that_does_not_know_the_quote_currency_offered_less_than_a_dollar():
    play(
        {"stream": "on"},
        [
            do("coarser", "BTC_USD", "qty_tick_size"),
            do("dribble", "ETH_BTC", 3),
            do("buy", "ETH_USD", "1.5", "USD"),
        ],
    )


def test_a_fill_of_the_stream_whose_time_no_column_holds_was_believed():
    play(
        {"stream": "failing", "partial_fills": 5},
        [
            do(
                "stream_fault", "lie", "user.trade", every=3, values={"create_time_ns": "9999999999999999999"}
            ),
            do("bid", "ETH_USD", "5000"),
            do("move", "ETH_USD", "-3"),
        ],
    )
