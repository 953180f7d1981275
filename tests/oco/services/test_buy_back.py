"""What is said of a buy-back: in money, in words, and never that coins are guarded."""

from decimal import Decimal

import pytest

from exchange.error_texts import code_text
from oco.engine.pricing import ExitSide
from oco.engine.states import FINAL, State
from oco.presentation.banners import BannerInput, banner_of
from oco.presentation.group_detail import GroupDetail, LegDetail
from oco.presentation.reasons import order_text
from oco.presentation.risk_reward import Fill, RiskReward, realised_of
from tests.factories import GroupFactory, InstrumentFactory, LegFactory

D = Decimal


def figures(**changes):
    """Two coins sold at 100; the stop pays 113.3 at most."""
    usual = {
        "quantity": D(2),
        "covered": D(2),
        "stop": D(110),
        "target": D(80),
        "entry": D(100),
        "price": D(90),
        "quote_usd": D(3),
        "exit_side": ExitSide.BUY,
        "max_buy_price": D("113.3"),
    }
    return RiskReward(**(usual | changes))


def test_it_wins_what_the_coins_have_become_cheaper_since_the_sale():
    one = figures()
    assert (one.value_usd, one.unrealised_usd, one.unrealised_pct) == (540, 60, 10)
    dearer = figures(price=D(105))
    assert (dearer.unrealised_usd, dearer.unrealised_pct) == (-30, -5)


def test_it_loses_at_the_stop_and_most_at_the_ceiling():
    one = figures()
    assert (one.result_at_stop_usd, one.result_at_target_usd, one.max_loss_usd) == (-60, 120, -120)
    assert one.reward_to_risk == D(10) / D(20)
    assert one.result_at_max_price_usd == D("-79.8")
    assert figures(exit_side=ExitSide.SELL, max_buy_price=None).result_at_max_price_usd is None


def test_the_stop_is_above_the_price_and_the_target_below():
    one = figures(price=D(100))
    assert (one.stop_distance_pct, one.target_distance_pct) == (10, -20)


def test_without_a_price_nothing_is_invented():
    one = figures(price=None)
    assert (one.value_usd, one.unrealised_usd, one.unrealised_pct, one.stop_distance_pct) == (None,) * 4
    assert (one.result_at_stop_usd, one.max_loss_usd) == (-60, None)


def test_what_it_brought_is_what_the_purchases_cost_less_than_the_sale():
    fills = [Fill(side="SELL", quantity=D(2), price=D(100)), Fill(side="BUY", quantity=D(2), price=D(80))]
    assert realised_of(fills, basis_price=D(100), quote_usd=D(1), exit_side=ExitSide.BUY) == 40
    assert realised_of(fills[:1], basis_price=D(100), quote_usd=D(1), exit_side=ExitSide.BUY) is None


def said(state, **changes):
    usual = {"currency": "ETH", "reason": "", "unprotected": D(0), "is_sent": False}
    banner = banner_of(BannerInput(state=state, exit_side=ExitSide.BUY, **(usual | changes)))
    return banner and (banner.tone, " ".join([banner.title, *banner.lines]))


@pytest.mark.parametrize(
    ("state", "changes", "tone", "words"),
    [
        (State.STOP_FAILED, {}, "crit", "If ETH rises, no order will buy it back"),
        (State.STOP_FAILED, {"resting_target": D("2.4")}, "crit", "that buys 2.4 ETH is still active"),
        (State.STOP_FAILED, {"refusal": code_text(306)}, "crit", "306: not enough available balance"),
        (State.UNKNOWN, {}, "warn", "do not count on the buy-back"),
        (State.EXITING, {}, "warn", "ETH is being bought back at market"),
        (State.PENDING, {}, "warn", "If ETH rises now, no order will buy it back"),
        (State.REPLACING, {"is_sent": True}, "warn", "a price rise may not trigger a buy-back"),
        (State.ACTIVE, {"unprotected": D("0.5")}, "warn", ("No order buys back 0.5 ETH of this sale")),
        (
            State.ACTIVE,
            {"price_limit": "113.30 USD"},
            "crit",
            "ETH is above this buy-back's price limit The buy-back pays at most 113.30 USD",
        ),
        (
            State.ACTIVE,
            {"has_target": False},
            "info",
            "If the price rises, the stop buys.",
        ),
        (
            State.ACTIVE,
            {"release_requested_by": "alice"},
            "warn",
            ("alice requested removal of this buy-back"),
        ),
    ],
)
def test_each_state_is_told_for_buying(state, changes, tone, words):
    found = said(state, **changes)
    assert found[0] == tone
    assert words in found[1]
    for wrong in ("stop will sell", "protection", "unprotected", "being sold", "have no stop"):
        assert wrong not in found[1]


@pytest.mark.parametrize("state", [State.ACTIVE, *sorted(FINAL)])
def test_where_nothing_is_wrong_nothing_is_said(state):
    assert said(state) is None


def test_its_orders_have_words():
    assert order_text("BUY", "STOP_LIMIT", "STOP_LOSS") == (
        "Buy up to the limit price when the mark price rises to the trigger"
    )
    assert order_text("BUY", "LIMIT", "TAKE_PROFIT") == "Buy limit"
    assert order_text("BUY", "LIMIT", "EXIT") == "Buy at market, up to the limit price"


def detail(**changes):
    group = GroupFactory(buys_back=True, **changes)
    leg = LegFactory(group=group, order_role="TAKE_PROFIT", side="BUY", type="LIMIT")
    legs, instrument = (LegDetail(leg),), InstrumentFactory()
    return GroupDetail(group=group, instrument=instrument, legs=legs, earlier=(), events=(), trades=())


@pytest.mark.django_db
def test_a_story_tells_its_money_and_the_most_that_it_pays():
    one = detail()
    assert (one.buys_back, one.exit_side, one.quote) == (True, ExitSide.BUY, "USD")
    assert one.max_cost == D("0.01000") * one.group.lot.unit_cost
    assert one.max_buy_price == D("64890.00")
    guard = GroupDetail(
        group=GroupFactory(),
        instrument=one.instrument,
        legs=(),
        earlier=(),
        events=(),
        trades=(),
    )
    assert (guard.buys_back, guard.max_cost, guard.max_buy_price) == (False, None, None)


@pytest.mark.django_db
def test_a_stop_that_failed_cannot_be_given_other_prices():
    assert not detail(state="STOP_FAILED").can_be_repriced
    guard = GroupFactory(state="STOP_FAILED")
    parts = {"instrument": None, "legs": (), "earlier": (), "events": (), "trades": ()}
    assert GroupDetail(group=guard, **parts).can_be_repriced


@pytest.mark.django_db
def test_its_banner_is_that_of_a_buy_back():
    assert detail(state="STOP_FAILED").banner.title == "If BTC rises, no order will buy it back"
