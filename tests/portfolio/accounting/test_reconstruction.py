"""The first start of a dry run: results are known, and past values follow from the simulator's trades and candles."""

from datetime import timedelta
from decimal import Decimal

import pytest

from exchange.core.times import NS_PER_MS
from exchange.simulator.demo_account import new_account
from exchange.simulator.server import make_app
from exchange.sync.backfill import history_slice
from oco.engine.coverage import CoverageStatus
from oco.models import OcoGroup
from portfolio.accounting.equity_curve import Moment, curve, past_values, value_history_reconstruct
from portfolio.dashboard.selectors import load_dashboard
from portfolio.models import PortfolioSnapshot
from portfolio.signals.services import market_update
from portfolio.signals.watchlist import watchlist_create_default
from tests.exchange.simulator.world import KEY, SECRET, World
from tests.support import Desk, queries

DAY = timedelta(days=1)
D = Decimal


class DemoWorld(World):
    """The exchange of a dry run, with the demo account, on a clock that moves only when set."""

    def __init__(self) -> None:
        super().__init__({})
        self.exchange, self.prices = new_account(key=KEY, secret=SECRET, now_ms=self.now_ms)
        self.exchange.limits.enabled = False
        self.app = make_app(self.exchange, sleep=self.tick)

    def value_at(self, ms: int) -> Decimal:
        """What the account was worth then, from the exchange's own books."""
        held = dict(self.exchange.ledger.balances)
        for trade in self.exchange.trades.rows:
            if trade.create_time_ns > ms * NS_PER_MS:
                base, quote = trade.instrument_name.split("_")
                sign = 1 if trade.side == "BUY" else -1
                held[base] -= sign * trade.quantity
                held[quote] += sign * trade.quantity * trade.price
                held[trade.fee_instrument_name] -= trade.fee
        for transfer in self.exchange.ledger.transfers:
            if transfer.time_ns > ms * NS_PER_MS:
                held[transfer.currency] -= transfer.amount
        return sum((quantity * self.prices.usd(name, ms) for name, quantity in held.items()), D())


@pytest.fixture
def world():
    return DemoWorld()


def test_the_first_start_of_a_dry_run(desk: Desk, world: DemoWorld, settings):
    """What the worker does, and then what the dashboard shows: known results, covered positions, 90 days of value."""
    settings.AUTO_PROTECT = True
    watchlist_create_default(now=desk.now)
    desk.sync(seconds=5)
    recorded = PortfolioSnapshot.objects.get()
    assert value_history_reconstruct(now=desk.now) == 0  # neither trades nor candles
    assert history_slice(seconds=10_000, clock=lambda: desk.now) is not None
    assert value_history_reconstruct(now=desk.now) == 0  # no candles
    market_update()

    settings.ENVIRONMENT = "LIVE"
    with queries() as statements:
        assert value_history_reconstruct(now=desk.now) == 0
    assert len(statements) == 0
    settings.ENVIRONMENT = "DRY_RUN"
    assert value_history_reconstruct(now=desk.now) > 300
    with queries() as statements:
        assert value_history_reconstruct(now=desk.now) == 0
    assert len(statements) == 1

    check_values(world, recorded)
    check_coverage(desk)
    desk.sync(seconds=5)  # calculates the cost of what was read
    check_results(desk)
    desk.sync(seconds=600)
    assert OcoGroup.objects.filter(state="ACTIVE").exists()  # a purchase filled, and was protected


def check_values(world, recorded):
    rows = PortfolioSnapshot.objects.filter(is_reconstructed=True).order_by("at_ms")
    for row in rows[::50]:
        assert abs(row.total_usd / world.value_at(row.at_ms) - 1) < D("0.0005")
    assert set(rows.values_list("grain", flat=True)) == {"CYCLE", "HOUR", "DAY"}
    assert rows.last().at_ms < recorded.at_ms
    recorded.refresh_from_db()
    assert not recorded.is_reconstructed


def check_coverage(desk):
    positions = load_dashboard(now=desk.now).positions
    found = {position.coverage.currency: position.coverage.coverage_status for position in positions}
    assert found["ETH"] is CoverageStatus.PROTECTED
    assert found["BTC"] is found["SOL"] is CoverageStatus.PARTLY
    assert found["XRP"] is found["CRO"] is CoverageStatus.UNPROTECTED


def check_results(desk):
    dashboard = load_dashboard(span="3m", now=desk.now)
    assert [name for name, one in dashboard.results.items() if one.unrealised_usd is None] == []
    assert len(dashboard.results) == 5
    assert dashboard.summary.unrealised_pnl_usd is not None
    assert dashboard.summary.result_if_all_stops_hit_usd is not None
    assert dashboard.summary.change_24h is not None
    assert desk.now - dashboard.history[0][0] > 89 * DAY
    last = PortfolioSnapshot.objects.filter(is_reconstructed=True).order_by("-at_ms").first()
    for span in ("1d", "1w", "1m", "3m", "all"):
        found = curve(span, now=desk.now)
        assert len(found.points) > 20
        assert None not in [value for _, value in found.points]
        assert found.reconstructed_until is not None
    assert curve("1d", now=desk.now).reconstructed_until == last.at


def moments(*prices):
    return [Moment(ms, "DAY", {"BTC": D(price)}) for ms, price in enumerate(prices, start=1)]


def test_a_purchase_is_taken_back_before_its_time():
    bought = [(2 * NS_PER_MS + 1, "BTC", D(1)), (2 * NS_PER_MS + 1, "USD", D(-100))]
    values = past_values(
        held={"BTC": D(1), "USD": D(50)}, changes=bought, moments=moments(90, 100, 110), cash=["USD"]
    )
    assert [(value.at_ms, value.total_usd, value.cash_usd) for value in values] == [
        (3, 160, 50),
        (2, 150, 150),
        (1, 150, 150),
    ]


def test_it_ends_where_a_balance_would_have_been_negative():
    sold = [(2 * NS_PER_MS + 1, "USD", D(100))]
    values = past_values(held={"USD": D(50)}, changes=sold, moments=moments(1, 1, 1), cash=["USD"])
    assert [value.at_ms for value in values] == [3]


def test_a_moment_without_a_price_has_no_value():
    prices = [Moment(1, "DAY", {"BTC": D(2)}), Moment(2, "DAY", {})]
    values = past_values(held={"BTC": D(1)}, changes=[], moments=prices, cash=["USD"])
    assert [(value.at_ms, value.total_usd) for value in values] == [(1, 2)]
