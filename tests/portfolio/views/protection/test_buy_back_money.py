"""A buy-back in money at the prices of the account, and what cannot be asked of it."""

from decimal import Decimal

import pytest

from oco.models import OcoGroup
from oco.presentation.group_detail import group_detail, group_details
from portfolio.models import Balance
from portfolio.views.protection.account import load_account, load_figures
from portfolio.views.protection.group import build_levels
from portfolio.views.protection.list import build_rows
from tests.factories import GroupFactory, LegFactory, OrderFactory, QuoteFactory, TradeFactory
from tests.portfolio.views.protection.steps import text

pytestmark = pytest.mark.usefixtures("bitcoin")
D = Decimal


@pytest.fixture
def group(bitcoin):
    """A hundredth of a bitcoin, sold at 60,000, which is the price now too."""
    return GroupFactory(buys_back=True)


def figures(group):
    return load_figures(group_detail(group_id=group.pk), load_account())


def test_it_counts_from_the_sale_and_names_the_most_that_it_pays(group):
    one = figures(group)
    assert (one.value_usd, one.unrealised_usd) == (600, 0)
    assert (one.max_loss_usd, one.result_at_target_usd, one.reward_to_risk) == (-30, 60, 2)
    assert (one.max_buy_price, one.result_at_max_price_usd) == (D("64890.00"), D("-48.9"))
    assert (one.stop_distance_pct, one.target_distance_pct) == (5, -10)


def test_a_coin_that_is_sold_out_has_the_price_of_its_pair(group):
    Balance.objects.filter(currency="BTC").delete()
    assert figures(group).price is None
    QuoteFactory(price=D(59000))
    assert (figures(group).price, figures(group).unrealised_usd) == (59000, 10)
    assert figures(GroupFactory()).price is None  # coins that are guarded and not held are another matter


def test_a_price_above_the_ceiling_is_the_first_thing_said(alice, group):
    LegFactory(group=group, side="BUY", type="STOP_LIMIT")
    Balance.objects.filter(currency="BTC").update(price_usd=D("64890"))
    page = f"/protection/{group.pk}/"
    assert "is above this buy-back's price limit" not in text(alice.get(page))
    Balance.objects.filter(currency="BTC").update(price_usd=D("64890.01"))
    assert "BTC is above this buy-back's price limit The buy-back pays at most 64,890.00 USD" in text(
        alice.get(page)
    )


def test_what_it_brought_is_on_its_page(alice, group):
    leg = LegFactory(group=group, side="BUY", order_role="TAKE_PROFIT", type="LIMIT", status="FILLED")
    TradeFactory(order_id=leg.order_id, side="BUY", price=D(54000))
    OcoGroup.objects.update(state="CLOSED_BY_TARGET", closed_at=group.created_at)
    assert "+$60.00" in text(alice.get(f"/protection/{group.pk}/"))


def test_stops_of_others_buy_nothing_back(group):
    OrderFactory(advanced=True, quantity=D("0.01"))
    OcoGroup.objects.update(quantity=D("0.004"))
    assert group_detail(group_id=group.pk).unprotected == D("0.006")
    group.refresh_from_db()
    assert group_details([group], instruments={})[group.pk].unprotected == D("0.006")


def test_its_entry_is_a_sale_on_the_chart_and_it_is_told_apart_in_the_list(group):
    detail = group_detail(group_id=group.pk)
    labels = [level.label for level in build_levels(detail, figures(group))]
    assert labels == ["Take profit not placed", "Sale price", "Stop not placed"]
    assert [row.buys_back for row in build_rows([group, GroupFactory()])] == [True, False]


def test_a_stop_that_failed_keeps_its_prices_and_says_so(alice, group):
    OcoGroup.objects.update(state="STOP_FAILED")
    answer = alice.get(f"/protection/{group.pk}/fix/")
    assert "The prices of a buy-back cannot be changed. Remove it, or buy manually" in text(answer)
    assert "57,000.00" not in text(answer)
    alice.post(
        f"/protection/{group.pk}/fix/review/", {"stop_price": "55000", "take_profit_price": ""}, follow=True
    )
    group.refresh_from_db()
    assert group.stop_price == D("63000.00")


def test_taking_it_away_is_asked_for_once(alice, group):
    answer = alice.get(f"/protection/{group.pk}/cancel/")
    assert answer.context["figures"].max_loss_usd == -30
    alice.post(f"/protection/{group.pk}/cancel/", {"token": answer.context["token"]})
    group.refresh_from_db()
    assert group.cancel_requested_by == "alice"
