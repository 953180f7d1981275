"""A group in money."""

from decimal import Decimal

from oco.presentation.risk_reward import Fill, RiskReward, realised_of

D = Decimal


def figures(**changes):
    usual = {
        "quantity": D(2),
        "covered": D(2),
        "stop": D(90),
        "target": D(130),
        "entry": D(100),
        "price": D(110),
        "quote_usd": D(3),
    }
    return RiskReward(**(usual | changes))


def test_results_count_from_what_was_paid():
    one = figures()
    assert (one.value_usd, one.unrealised_usd, one.unrealised_pct) == (660, 60, 10)
    assert (one.result_at_stop_usd, one.result_at_target_usd) == (-60, 180)


def test_the_max_loss_and_the_reward_to_risk_count_from_the_price_now():
    one = figures()
    assert (one.max_loss_usd, one.reward_to_risk) == (-120, 1)


def test_without_a_cost_there_is_no_result_and_still_a_max_loss():
    one = figures(entry=None)
    assert (one.unrealised_usd, one.unrealised_pct) == (None, None)
    assert (one.result_at_stop_usd, one.result_at_target_usd, one.max_loss_usd) == (None, None, -120)
    assert figures(entry=None, cost=D(80)).unrealised_usd == 180
    assert figures(entry=None, cost=D(80)).result_at_stop_usd == 60


def test_only_what_is_covered_is_sold_at_the_stop():
    assert (figures(covered=D(1)).result_at_stop_usd, figures(covered=D(1)).unrealised_usd) == (-30, 60)


def test_without_a_price_nothing_is_invented():
    one = figures(price=None, entry=None)
    found = (
        one.value_usd,
        one.max_loss_usd,
        one.result_at_target_usd,
        one.stop_distance_pct,
        one.reward_to_risk,
    )
    assert found == (None, None, None, None, None)
    assert figures(quote_usd=None).max_loss_usd is None


def test_a_stop_above_what_was_paid_wins_and_may_still_lose_from_here():
    one = figures(stop=D(105))
    assert (one.result_at_stop_usd, one.max_loss_usd) == (30, -30)
    assert figures(stop=D(111)).reward_to_risk is None  # the market has passed it


def test_what_was_realised_is_what_the_sales_brought_above_the_cost():
    fills = [Fill(side="BUY", quantity=D(2), price=D(100)), Fill(side="SELL", quantity=D(2), price=D(130))]
    assert realised_of(fills, basis_price=D(100), quote_usd=D(1)) == 60
    assert realised_of(fills[:1], basis_price=D(100), quote_usd=D(1)) is None
    assert realised_of(fills, basis_price=None, quote_usd=D(1)) is None


def test_each_side_counts_at_the_rate_of_its_trades():
    """Bought with USDT at a dollar, sold for as many at 90 cents: a tenth is lost, whatever the rate is now."""
    fills = [
        Fill(side="BUY", quantity=D(2), price=D(100), quote_usd=D(1)),
        Fill(side="SELL", quantity=D(1), price=D(100), quote_usd=D("0.90")),
        Fill(side="SELL", quantity=D(1), price=D(130)),
    ]
    assert realised_of(fills, basis_price=D(100), quote_usd=D("0.95")) == -10 + D("23.5")
    assert realised_of(fills, basis_price=D(100), quote_usd=None) is None
