"""Who may sell how much of a coin (rules 2 and 10)."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from oco.engine.allocation import ExternalOrder, allocate_to_lots, reserve

D = Decimal
AMOUNTS = st.decimals("0", "10", places=3)


def external(number, quantity="1", *, list_id="", is_stop=False, currency="BTC"):
    return ExternalOrder(
        order_id=str(number), list_id=list_id, currency=currency, quantity=D(quantity), is_stop=is_stop
    )


def shares(holdings, reserved, *owned):
    found = allocate_to_lots(
        holdings=D(holdings), reserved=D(reserved), lots=[(n, D(each)) for n, each in enumerate(owned)]
    )
    return [(found[n].allowed, found[n].missing) for n in range(len(owned))]


def test_orders_add_up_and_a_list_counts_once():
    orders = [external(1), external(2, "2", list_id="7"), external(3, "2", list_id="7", is_stop=True)]
    found = reserve(orders)
    assert (list(found), found["BTC"].total, found["BTC"].covered) == (["BTC"], D(3), D(2))


def test_a_bare_order_locks_and_does_not_cover():
    assert reserve([external(1)])["BTC"].reserved_without_stop == D(1)
    assert reserve([external(1, is_stop=True)])["BTC"].reserved_without_stop == 0


def test_enough_for_all():
    assert shares("3", "0", "1", "2") == [(1, 0), (2, 0)]


def test_what_is_missing_is_missing_to_the_newest():
    assert shares("2", "0", "1", "2") == [(1, 0), (1, 1)]


def test_coins_of_no_lot_are_spent_first():
    assert shares("3", "0", "1") == [(1, 0)]


def test_what_others_locked_is_there_but_not_ours_to_sell():
    assert shares("3", "1.5", "1", "2") == [(1, 0), (D("0.5"), 0)]


@given(holdings=AMOUNTS, reserved=AMOUNTS, owned=st.lists(AMOUNTS, max_size=6))
def test_nothing_is_promised_twice(holdings, reserved, owned):
    found = shares(holdings, reserved, *owned)
    assert sum(allowed for allowed, _ in found) <= max(holdings - reserved, 0)
    for (allowed, missing), owns in zip(found, owned, strict=True):
        assert 0 <= allowed <= owns - missing <= owns
    if owned:
        assert sum(missing for _, missing in found) == max(sum(owned) - holdings, 0)
