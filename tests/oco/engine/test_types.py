"""The names of our orders."""

from oco.engine.types import PREFIX, client_oid

ONE = {
    "account": "5c2d",
    "entry_order_id": "49899",
    "first_trade_id": "46116",
    "generation": 1,
    "role": "STOP_LOSS",
}


def test_the_same_leg_has_the_same_name_for_ever():
    assert client_oid(**ONE) == client_oid(**ONE) == "xdujeaqibmjizlo23cv5eopwqvmosgt2qz"


def test_every_part_makes_another_name():
    others = {"account": "6", "entry_order_id": "6", "first_trade_id": "6", "generation": 2, "role": "EXIT"}
    names = {client_oid(**(ONE | {part: value})) for part, value in others.items()}
    assert len(names | {client_oid(**ONE)}) == 6


def test_it_fits_and_carries_our_mark():
    name = client_oid(**ONE)
    assert len(name) <= 36
    assert name.startswith(PREFIX)
    assert name.isalnum()
