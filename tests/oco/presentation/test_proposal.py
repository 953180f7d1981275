"""What an order would mean in money."""

from dataclasses import replace
from decimal import Decimal

from oco.engine.pricing import Grid
from oco.policies import FeeRates, rates_of
from oco.presentation.risk_reward import Proposal, Terms
from tests.factories import TradeFactory

D = Decimal
TERMS = Terms(
    instrument_name="ETH_BTC",
    base="ETH",
    quote="BTC",
    mark=D("0.05"),
    quote_usd=D(60000),
    grid=Grid(price_tick=D("0.00001"), quantity_tick=D("0.001"), quote_usd=D(60000)),
    maker=D("0.0025"),
    taker=D("0.005"),
    distance_pct=D("0.5"),
    total_usd=D(30000),
)


def proposal(**changes):
    return Proposal(**({"terms": TERMS, "quantity": D(2), "stop": D("0.045"), "target": D("0.06")} | changes))


def test_it_counts_from_the_price_now_after_the_fee_of_the_sale():
    asked = proposal()
    assert asked.value_usd == D(6000)
    assert asked.loss_usd == (D("0.045") * D("0.995") - D("0.05")) * 2 * 60000 == D("-627")
    assert asked.gain_usd == (D("0.06") * D("0.9975") - D("0.05")) * 2 * 60000 == D("1182")
    assert (asked.stop_pct, asked.target_pct, asked.loss_share_pct) == (-10, 20, D("2.09"))
    assert asked.reward_to_risk == D(1182) / D(627)


def test_a_stop_alone_has_no_gain():
    alone = proposal(target=None)
    assert (alone.is_pair, alone.gain_usd, alone.target_pct, alone.reward_to_risk) == (
        False,
        None,
        None,
        None,
    )
    assert not alone.is_stop_too_near


def test_a_target_too_near_moves_up_and_a_stop_too_near_goes_alone():
    moved, near = proposal(target=D("0.0501")), proposal(stop=D("0.0499"))
    assert (moved.is_target_moved, moved.target_placed) == (True, D("0.05025"))
    assert (near.is_pair, near.is_stop_too_near, near.target_placed) == (False, True, None)


def test_without_a_total_there_is_no_share():
    assert proposal(terms=replace(TERMS, total_usd=D(0))).loss_share_pct is None


def trade(taker_side, fee, fee_currency):
    return TradeFactory.build(taker_side=taker_side, fee=D(fee), fee_currency=fee_currency)


def test_rates_are_those_last_charged_in_either_currency():
    newest = [
        trade("TAKER", "-2.40", "USD"),
        trade("MAKER", "-0.00001", "BTC"),
        trade("TAKER", "-3", "USD"),
    ]
    assert rates_of(newest) == FeeRates(maker=D("0.001"), taker=D("0.004"), is_known=True)


def test_a_fee_in_a_third_currency_tells_nothing():
    assert rates_of([trade("TAKER", "-1", "CRO")]) == FeeRates()
