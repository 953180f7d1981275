"""Whatever the undocumented details are, the books are right and a pair protects its coins once."""

import pytest

from exchange.simulator.config import CHOICES, BehaviourOptions
from tests.exchange.simulator.world import World

EVERY = [(name, value) for name, values in CHOICES.items() for value in values]


def test_the_first_choice_is_the_default():
    assert {name: values[0] for name, values in CHOICES.items()} == BehaviourOptions().as_dict()


def test_an_option_or_value_that_is_not_there():
    with pytest.raises(ValueError, match="no behaviour option"):
        BehaviourOptions().with_changes({"colour": "red"})
    with pytest.raises(ValueError, match="collar is one of"):
        BehaviourOptions().with_changes({"collar": "shirt"})
    with pytest.raises(ValueError, match="ack_delay_ms"):
        BehaviourOptions().with_changes({"ack_delay_ms": -1})


@pytest.mark.parametrize(("name", "value"), EVERY, ids=lambda each: str(each))
def test_a_trading_day_under_every_option(name, value):
    world = World({"USD": 1000}, **{name: value})
    world.buy("CRO_USD", 300)
    world.buy("CRO_USD", 500, "0.045")
    world.tick(3)
    pair = {"instrument_name": "CRO_USD", "side": "SELL", "quantity": "290"}
    target = pair | {"type": "LIMIT", "price": "0.05", "client_oid": "target"}
    stop = pair | {"type": "STOP_LOSS", "ref_price": "0.046", "client_oid": "stop"}
    world.send_manually("private/advanced/create-oco", order_list=[target, stop])
    world.tick(3)
    world.fill(world.order("target"), 100)
    for price in ("0.0459", "0.044", "0.051"):
        world.set_price("CRO_USD", price)
        world.tick(3)
    world.send_manually("private/cancel-all-orders")
    world.send_manually("private/advanced/cancel-all-orders")
    world.tick(3)
    assert world.exchange.audit() == []
    assert world.open_orders() == []
    assert world.order("target").cumulative_quantity >= 100
    assert not (world.order("stop").cumulative_quantity and name != "oco_race")
