"""The pages of a group that buys back speak of buying, and never of coins that are protected."""

import pytest
from django.test import Client

from tests.factories import EventFactory, GroupFactory, LegFactory
from tests.portfolio.views.protection.steps import text

pytestmark = pytest.mark.usefixtures("bitcoin")


@pytest.fixture
def group():
    group = GroupFactory(buys_back=True, reason="Stop and target were read back open.")
    LegFactory(group=group, side="BUY", type="STOP_LIMIT", price="64890.00")
    target = {"order_role": "TAKE_PROFIT", "type": "LIMIT", "trigger_price": None, "price": "54000.00"}
    LegFactory(group=group, side="BUY", **target)
    EventFactory(group=group)
    return group


def shown(client, group, page=""):
    answer = client.get(f"/protection/{group.pk}/{page}")
    assert answer.status_code == 200
    return answer


def test_its_page_says_what_is_bought_at_which_prices(group):
    answer = shown(Client(), group)
    said = text(answer)
    for words in ("Buy-back", "Left to buy", "Take profit to stop", "Average sale price", "Active"):
        assert words in said
    for words in (
        "Protected",
        "Average entry price",
        "Stop to take profit",
        "Position",
        "of this protection",
    ):
        assert words not in said
    assert "64,890.00" in said  # at most, for a coin
    assert "652.14" in said  # kept for it
    assert '<p class="mirrored"' in answer.content.decode()


def test_its_end_is_told_in_words_of_its_own(group, alice):
    said = text(shown(alice, group))
    assert "Remove buy-back" in said
    assert "You keep the cash, and 0.01000 BTC will not be bought back." in said


def test_what_is_lost_by_taking_it_away(group, alice):
    said = text(shown(alice, group, "cancel/"))
    for words in (
        "Remove the buy-back of 0.01000 BTC?",
        "Keep the cash: 0.01000 BTC will not be bought back",
        "Keep buy-back",
        "Upside risk after removal",
    ):
        assert words in said
    assert "without a stop" not in said


def test_what_came_of_it(group, alice):
    assert "Open this buy-back" in text(shown(alice, group, "sent/"))
    GroupFactory._meta.model.objects.update(state="PENDING")
    assert "These coins are not bought back until" in text(shown(alice, group, "sent/"))


def test_a_stop_that_failed_is_not_fixed_by_other_prices(group, alice):
    GroupFactory._meta.model.objects.update(state="STOP_FAILED")
    group.legs.filter(order_role="STOP_LOSS").update(status="REJECTED")
    html = shown(alice, group).content.decode()
    assert f"/protection/{group.pk}/fix/" not in html
    assert "Stop missing" in html
    assert "New prices" not in text(shown(alice, group, "fix/"))


def test_what_has_ended_tells_how_much_was_bought(group):
    GroupFactory._meta.model.objects.update(state="CLOSED_BY_EXIT", closed_at=group.created_at)
    said = text(shown(Client(), group))
    assert "Bought back" in said
    assert "Bought at market" in said


def test_the_list_marks_it(group):
    GroupFactory()
    html = Client().get("/protection/").content.decode()
    assert html.count("buys back</span>") == 1
