"""Who may sell how much of a coin (rules 2 and 10)."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from oco.engine.allocation import Foreign, committed, share_out

D = Decimal
AMOUNTS = st.decimals("0", "10", places=3)


def foreign(number, quantity="1", *, list_id="", is_stop=False, currency="BTC"):
    return Foreign(
        order_id=str(number), list_id=list_id, currency=currency, quantity=D(quantity), is_stop=is_stop
    )


def shares(held, taken, *owned):
    found = share_out(held=D(held), taken=D(taken), lots=[(n, D(each)) for n, each in enumerate(owned)])
    return [(found[n].allowed, found[n].missing) for n in range(len(owned))]


def test_orders_add_up_and_a_list_counts_once():
    orders = [foreign(1), foreign(2, "2", list_id="7"), foreign(3, "2", list_id="7", is_stop=True)]
    found = committed(orders)
    assert (list(found), found["BTC"].total, found["BTC"].covered) == (["BTC"], D(3), D(2))


def test_a_bare_order_locks_and_does_not_cover():
    assert committed([foreign(1)])["BTC"].locked == D(1)
    assert committed([foreign(1, is_stop=True)])["BTC"].locked == 0


def test_enough_for_all():
    assert shares("3", "0", "1", "2") == [(1, 0), (2, 0)]


def test_what_is_missing_is_missing_to_the_newest():
    assert shares("2", "0", "1", "2") == [(1, 0), (1, 1)]


def test_coins_of_no_lot_are_spent_first():
    assert shares("3", "0", "1") == [(1, 0)]


def test_what_others_locked_is_there_but_not_ours_to_sell():
    assert shares("3", "1.5", "1", "2") == [(1, 0), (D("0.5"), 0)]


@given(held=AMOUNTS, taken=AMOUNTS, owned=st.lists(AMOUNTS, max_size=6))
def test_nothing_is_promised_twice(held, taken, owned):
    found = shares(held, taken, *owned)
    assert sum(allowed for allowed, _ in found) <= max(held - taken, 0)
    for (allowed, missing), owns in zip(found, owned, strict=True):
        assert 0 <= allowed <= owns - missing <= owns
    if owned:
        assert sum(missing for _, missing in found) == max(sum(owned) - held, 0)
