"""A reason survives being stored."""

from decimal import Decimal

from exchange.core.reasons import Reason, reason


def test_decimals_are_stored_as_plain_text():
    assert reason("FILLED", quantity=Decimal("1E+3"), coin="BTC", count=2).params == {
        "quantity": "1000",
        "coin": "BTC",
        "count": 2,
    }


def test_reasons_add_up_in_order():
    total = reason("STOP_CROSSED", mark=Decimal("1.10")) + reason("REFUSED", exchange_code=306) + None
    assert [one.code for one in total] == ["STOP_CROSSED", "REFUSED"]
    assert total.exchange_code == 306


def test_what_was_stored_is_read_back():
    total = reason("STOP_CROSSED", mark=Decimal("1.10"), exchange_code=213) + reason("NO_PRICE")
    assert Reason.from_stored(total.code, total.stored_params, total.exchange_code) == total
