"""Trouble 25: the database of a dry run started with live keys, and the reverse."""

from exchange.models import AccountBinding
from oco.models import OcoGroup


def other_account(scenario):
    scenario.world.exchange.account_uuid = "0f6b5a2c-7d0e-4a57-9a55-3c8f5ad2a001"


def test_orders_are_never_sent_to_another_account_than_the_one_in_the_database(bought):
    known = AccountBinding.objects.get().account_uuid
    other_account(bought)
    bought.tick(86_400)
    for _ in range(3):
        bought.sync()
    assert bought.ours() == []
    assert AccountBinding.objects.get().account_uuid == known
    assert OcoGroup.objects.count() == 0


def test_a_protected_account_is_left_alone_by_a_desk_that_meets_another(covered):
    other_account(covered)
    covered.tick(86_400)
    covered.sync()
    assert len(covered.resting()) == 2
    assert OcoGroup.objects.get().state == "ACTIVE"
