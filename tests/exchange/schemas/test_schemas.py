"""Rows become values: exact numbers, tolerant fields, and a clear word when the identity is missing."""

from decimal import Decimal

import pytest

from exchange.schemas import (
    AccountBalance,
    AccountInfo,
    Ack,
    Book,
    Instrument,
    NameSpace,
    NewOrder,
    Order,
    Ticker,
    Trade,
    is_terminal,
)
from tests.exchange.replay import ORDER, TRADE, loads

HUGE = ("1e999999999", "-1e999999999", "1e-999999999", "1e9999999999999999999", 10**80)
NEW = {"instrument_name": "BTC_USD", "side": "BUY", "type": "LIMIT", "client_oid": "mine-1"}


def order(**changes):
    return Order.from_row(ORDER | changes, NameSpace.PLAIN)


@pytest.mark.parametrize("written", ["23", 23, Decimal("23")])
def test_a_number_may_be_text_or_a_number(written):
    assert order(quantity=written).quantity == Decimal(23)


@pytest.mark.parametrize("written", ["9007199254740993", 9007199254740993])
def test_ids_beyond_2_to_the_53_keep_every_digit(written):
    assert order(order_id=written).order_id == "9007199254740993"


def test_fractions_of_the_wire_stay_exact():
    row = loads('{"i": "X_USD", "a": 0.1000000000000000055, "t": 1}')
    assert str(Ticker.from_row(row).last) == "0.1000000000000000055"


@pytest.mark.parametrize("nothing", ["0", "0.00", 0, "", None])
def test_a_price_of_zero_is_no_price(nothing):
    found = order(limit_price=nothing, ref_price=nothing, avg_price=nothing)
    assert (found.limit_price, found.ref_price, found.avg_price) == (None, None, None)


def test_absent_numbers_of_an_order_have_defined_values():
    found = order()
    assert found.cumulative_quantity == 0
    assert found.cumulative_fee is None
    assert found.update_time_ms == found.create_time_ms
    assert found.exec_inst == ()
    assert found.list_id == ""


def test_the_null_trigger_type_is_no_type():
    assert order(ref_price_type="NULL_VAL").ref_price_type == ""
    assert order(ref_price_type="MARK_PRICE").ref_price_type == "MARK_PRICE"


@pytest.mark.parametrize(
    ("written", "reason", "words"),
    [
        (0, 0, ""),
        ("43012", 43012, ""),
        ("-1", -1, ""),
        ("", None, ""),
        (None, None, ""),
        ("NO_FUNDS", None, "NO_FUNDS"),
    ],
)
def test_a_reason_is_a_code_and_anything_else_is_kept_as_words(written, reason, words):
    found = order(reason=written)
    assert (found.reason, found.reject_reason) == (reason, words)


def test_unknown_fields_and_words_are_no_obstacle():
    found = order(order_type="FROZEN", exec_inst="BRAND_NEW", something={"deep": [1]})
    assert found.order_type == "FROZEN"
    assert found.exec_inst == ("BRAND_NEW",)


def test_an_unknown_status_is_not_an_end():
    assert not is_terminal("FROZEN")
    assert not is_terminal("ACTIVE")
    assert is_terminal("CANCELED")


@pytest.mark.parametrize("name", ["order_id", "instrument_name", "side", "quantity", "status", "create_time"])
def test_an_order_without_its_identity_is_refused_by_name(name):
    row = {key: value for key, value in ORDER.items() if key != name}
    with pytest.raises(ValueError, match=f"field {name}"):
        Order.from_row(row, NameSpace.PLAIN)


@pytest.mark.parametrize("bad", [True, [], {}, "abc", "NaN", "sNaN", "Infinity", *HUGE])
def test_what_is_no_usable_number_is_refused_without_being_quoted(bad):
    with pytest.raises(ValueError, match=r"^field quantity is [a-z ]+$"):
        order(quantity=bad)


@pytest.mark.parametrize("bad", [True, [1], {"a": 1}, Decimal("6.5E+18")])
def test_what_is_no_usable_id_is_refused(bad):
    with pytest.raises(ValueError, match="field order_id"):
        order(order_id=bad)


@pytest.mark.parametrize("bad", [True, [1], {"a": 1}, Decimal("6.5E+18")])
def test_what_is_no_text_is_refused_in_any_text_field(bad):
    with pytest.raises(ValueError, match=r"^field list_id is not usable$"):
        order(list_id=bad)


@pytest.mark.parametrize("bad", ["NaN", "Infinity", *HUGE])
def test_no_field_of_any_row_takes_a_number_that_is_not_usable(bad):
    with pytest.raises(ValueError, match=r"^field cumulative_fee is [a-z ]+$"):
        order(cumulative_fee=bad)
    with pytest.raises(ValueError, match=r"^field create_time_ns is [a-z ]+$"):
        order(create_time_ns=bad)
    with pytest.raises(ValueError, match=r"^field k is [a-z ]+$"):
        Ticker.from_row({"i": "X_USD", "t": 1, "k": bad})
    with pytest.raises(ValueError, match=r"^field (price|bids\[0\]\[0\]) is [a-z ]+$"):
        Book.from_row({"instrument_name": "X_USD", "data": [{"bids": [[bad, "1"]], "asks": []}]})


@pytest.mark.parametrize("written", ["9007199254740993", "9007199254740993.0", Decimal("9007199254740993.0")])
def test_whole_numbers_beyond_2_to_the_53_keep_every_digit(written):
    assert Trade.from_row(TRADE | {"transact_time_ns": written}).transact_time_ns == 9007199254740993


@pytest.mark.parametrize(
    ("written", "meant"),
    [("POST_ONLY", ("POST_ONLY",)), (["A", "B"], ("A", "B")), ([], ()), ("", ()), (None, ())],
)
def test_a_single_word_is_a_list_of_one(written, meant):
    assert order(exec_inst=written).exec_inst == meant


def test_a_fraction_where_a_time_should_be_is_refused():
    with pytest.raises(ValueError, match="field update_time is not a whole number"):
        order(update_time="1.5")


def test_a_creation_time_in_nanoseconds_will_do():
    row = {**ORDER, "create_time": None, "create_time_ns": "1785587290558578253"}
    assert Order.from_row(row, NameSpace.PLAIN).create_time_ms == 1785587290558


def test_a_trade_keeps_the_sign_of_its_fee_and_has_nanoseconds():
    trade = Trade.from_row(TRADE)
    assert trade.fee == Decimal("-0.0045333")
    assert trade.create_time_ns == 1785587305885_000000
    assert Trade.from_row(TRADE | {"create_time_ns": "1785587305885541440"}).create_time_ns % 1000 == 440


def test_a_trade_without_a_price_is_refused():
    with pytest.raises(ValueError, match="field traded_price is missing"):
        Trade.from_row(TRADE | {"traded_price": None})


@pytest.mark.parametrize(("written", "meant"), [(True, True), ("true", True), ("FALSE", False), ("x", None)])
def test_booleans_may_be_text(written, meant):
    row = {"position_balances": [{"instrument_name": "CRO", "quantity": 1, "collateral_eligible": written}]}
    assert AccountBalance.from_row(row).positions[0].collateral_eligible is meant


def test_a_balance_without_its_tokens_is_not_an_empty_account():
    assert AccountBalance.from_row({"position_balances": []}).positions == ()
    with pytest.raises(ValueError, match="position_balances is missing"):
        AccountBalance.from_row({"total_cash_balance": "1"})


def test_an_account_that_does_not_say_who_it_is_is_refused():
    with pytest.raises(ValueError, match="field uuid is missing"):
        AccountInfo.from_row({"master_account": {"uuid": "1"}})


@pytest.mark.parametrize("tick", ["0", "-1", None])
def test_an_instrument_needs_a_grid(tick):
    row = {"symbol": "X_USD", "price_tick_size": tick, "qty_tick_size": "1"}
    with pytest.raises(ValueError, match="field price_tick_size"):
        Instrument.from_row(row)


def test_an_instrument_that_does_not_say_so_is_not_tradable():
    row = {"symbol": "XUSD-PERP", "price_tick_size": "0.1", "qty_tick_size": "1"}
    assert Instrument.from_row(row | {"inst_type": "PERPETUAL_SWAP"}).tradable is False


@pytest.mark.parametrize("level", ["12", [], ["1"], ["1", None], None])
def test_a_broken_book_level_is_refused(level):
    with pytest.raises(ValueError, match=r"^field bids[0-9.\[\]]+ is not usable$"):
        Book.from_row({"instrument_name": "X_USD", "data": [{"bids": [level], "asks": []}]})


def test_a_book_without_a_side_is_refused():
    with pytest.raises(ValueError, match="field asks is missing"):
        Book.from_row({"instrument_name": "X_USD", "data": [{"bids": []}]})


def test_a_new_order_is_sent_as_plain_text_without_exponents():
    new = NewOrder(**NEW, quantity=Decimal("1E+4"), price=Decimal("0.00000001"), exec_inst=("POST_ONLY",))
    assert new.to_params() == {
        "instrument_name": "BTC_USD",
        "side": "BUY",
        "type": "LIMIT",
        "client_oid": "mine-1",
        "quantity": "10000",
        "price": "0.00000001",
        "exec_inst": ["POST_ONLY"],
    }


@pytest.mark.parametrize("client_oid", ["", "x" * 37])
def test_a_new_order_needs_a_client_oid_of_at_most_36_characters(client_oid):
    with pytest.raises(ValueError, match="client_oid needs 1 to 36 characters"):
        NewOrder(**NEW | {"client_oid": client_oid}, quantity=Decimal(1))


def test_a_new_order_needs_an_amount():
    with pytest.raises(ValueError, match="quantity or a notional"):
        NewOrder(**NEW)


@pytest.mark.parametrize("bad", [Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("Infinity"), 1.5])
def test_a_new_order_refuses_amounts_that_are_none(bad):
    with pytest.raises(ValueError, match="quantity must be a positive decimal number"):
        NewOrder(**NEW, quantity=bad).to_params()


def test_values_cannot_be_changed():
    ack = Ack(order_id="1", client_oid="2", code=0, message="")
    with pytest.raises(AttributeError):
        ack.order_id = "3"


@pytest.mark.parametrize("moment", [1785587305884874648, -1])
def test_a_time_in_another_unit_is_refused_and_not_a_crash_later(moment):
    row = {
        "trade_id": "1",
        "order_id": "2",
        "instrument_name": "CRO_USD",
        "side": "BUY",
        "traded_quantity": "1",
    }
    with pytest.raises(ValueError, match="create_time"):
        Trade.from_row({**row, "traded_price": "1", "fees": "0", "create_time": moment})
