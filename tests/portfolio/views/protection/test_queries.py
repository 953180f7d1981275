"""What each step asks of the database: the same however much there is."""

from decimal import Decimal

import pytest

from tests.factories import (
    BalanceFactory,
    EventFactory,
    GroupFactory,
    InstrumentFactory,
    LegFactory,
    OrderFactory,
    TradeFactory,
    TradingSwitchFactory,
)
from tests.portfolio.views.protection.steps import PROTECTION_REQUEST, REVIEW, SET
from tests.support import queries

MOST = 33  # three of them: which external stops cover what our orders do not, and whether every execution is decided


@pytest.fixture
def failed(bitcoin):
    TradingSwitchFactory(is_off=False)
    group = GroupFactory(instrument_name="ETH_USD", state="STOP_FAILED")
    InstrumentFactory(symbol="ETH_USD")
    BalanceFactory(currency="ETH", price_usd=Decimal(70000))
    LegFactory(group=group)
    return group


def more(group):
    """Ten times of everything."""
    for number in range(10):
        name = f"C{number}_USD"
        InstrumentFactory(symbol=name)
        BalanceFactory(currency=f"C{number}", price_usd=Decimal(10))
        LegFactory(group=GroupFactory(instrument_name=name))
        LegFactory(group=group, generation=number + 2)
        EventFactory(group=group)
        TradeFactory(order_id=group.legs.first().order_id)
        OrderFactory(side="SELL", instrument_name=name)


@pytest.mark.parametrize("step", ["set", "review", "fix", "fix review", "cancel", "sent", "switch"])
def test_no_step_asks_more_where_there_is_more(alice, failed, step):
    own = f"/protection/{failed.pk}/"
    levels = {"stop_price": "57000", "take_profit_price": "76000"}
    ask = {
        "set": lambda: alice.get(SET),
        "review": lambda: alice.get(REVIEW, {**PROTECTION_REQUEST, "quantity": "0.01"}),
        "fix": lambda: alice.get(f"{own}fix/"),
        "fix review": lambda: alice.get(f"{own}fix/review/", levels),
        "cancel": lambda: alice.get(f"{own}cancel/"),
        "sent": lambda: alice.get(f"{own}sent/"),
        "switch": lambda: alice.get("/switch/"),
    }[step]
    OrderFactory(side="SELL", instrument_name="ETH_USD", quantity=Decimal("0.001"))
    ask()
    with queries() as few:
        assert ask().status_code == 200
    more(failed)
    ask()  # what is kept until something changes is read again
    with queries() as many:
        ask()
    assert len(many) == len(few) <= MOST
