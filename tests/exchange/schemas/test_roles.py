"""What part an order plays is told from its shape."""

import pytest

from exchange.core.instrument_names import base_of
from exchange.schemas.orders import role_of

CASH = ("USD", "USDT", "EUR")


def role(order_type="LIMIT", side="BUY", instrument_name="BTC_USD", *, in_pair=False):
    return role_of(
        order_type=order_type, side=side, instrument_name=instrument_name, in_pair=in_pair, cash=CASH
    )


@pytest.mark.parametrize(
    ("order_type", "side", "in_pair", "expected"),
    [
        ("LIMIT", "BUY", False, "ENTRY"),
        ("MARKET", "BUY", False, "ENTRY"),
        ("LIMIT", "SELL", False, "EXIT"),
        ("MARKET", "SELL", False, "EXIT"),
        ("STOP_LOSS", "SELL", False, "STOP_LOSS"),
        ("STOP_LIMIT", "SELL", False, "STOP_LOSS"),
        ("STOP_LOSS", "SELL", True, "STOP_LOSS"),
        ("TAKE_PROFIT", "SELL", False, "TAKE_PROFIT"),
        ("TAKE_PROFIT_LIMIT", "SELL", False, "TAKE_PROFIT"),
        ("LIMIT", "SELL", True, "TAKE_PROFIT"),
        ("LIMIT", "BUY", True, "ENTRY"),
        ("SOMETHING_NEW", "SELL", False, "EXIT"),
    ],
)
def test_role_by_type_side_and_pair(order_type, side, in_pair, expected):
    assert role(order_type, side, in_pair=in_pair) == expected


@pytest.mark.parametrize("name", ["USDT_USD", "EUR_USD", "USD_EUR"])
@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_changing_cash_for_cash_is_neither_entry_nor_exit(name, side):
    assert role(side=side, instrument_name=name) == ""


def test_a_coin_bought_with_a_stablecoin_or_with_another_coin_is_an_entry():
    assert role(instrument_name="BTC_USDT") == "ENTRY"
    assert role(instrument_name="CRO_BTC") == "ENTRY"


def test_a_derivative_is_a_thing_of_its_own():
    assert role(instrument_name="BTCUSD-PERP") == "ENTRY"
    assert base_of("BTCUSD-PERP") == "BTCUSD-PERP"


def test_the_base_of_a_name_with_a_venue():
    assert base_of("SHIB_BTC@OEX_HK") == "SHIB"
