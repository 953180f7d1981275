"""The page of the portfolio: what is held, what it has cost, what it was worth; and the same as a file."""

import csv
from datetime import timedelta
from decimal import Decimal as D
from io import StringIO

import pytest
from django.utils import timezone

from exchange.models.sync import Stream
from portfolio.dashboard.selectors import load_dashboard
from portfolio.views.lists import UTF8_BOM
from portfolio.views.portfolio import allocation
from portfolio.web.charts import coin_colour
from tests.factories import (
    BalanceFactory,
    CostFactory,
    HistoryRangeFactory,
    InstrumentFactory,
    SnapshotFactory,
    SyncRunFactory,
)
from tests.portfolio.pages import Page
from tests.support import queries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def public(settings):
    settings.DASHBOARD_PUBLIC = "true"
    SyncRunFactory()


def html(client, **query):
    answer = client.get("/portfolio/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def some_holdings():
    CostFactory()
    BalanceFactory()
    BalanceFactory(currency="USD", quantity=D(1000), price_usd=D(1), available=D(800), reserved=D(200))
    BalanceFactory(currency="XYZ", price_usd=None)


def test_the_page_shows_what_the_desk_knows(client):
    some_holdings()
    desk = load_dashboard()
    rows = {row.key: row.values for row in Page(html(client)).tables["holdings"]}
    assert list(rows) == [row.currency for row in desk.portfolio] == ["BTC", "USD", "XYZ"]
    for shown in ("6000.0000000000", "50000", "1000.00000000", "20.00"):
        assert shown in rows["BTC"]
    assert {"800", "200"} <= set(rows["USD"])


def test_what_is_not_known_says_why(client):
    some_holdings()
    page = html(client)
    assert "The balance exceeds the recorded buys" in page
    assert "not included in any total: XYZ" in page
    assert "1 position n/a" in page


def test_results_may_change_while_history_is_read(client):
    assert "still loading" not in html(client)
    HistoryRangeFactory(stream=Stream.TRADES)
    assert "still loading" in html(client)


def test_each_span_is_a_link_and_the_chosen_one_is_marked(client):
    for span in ("1d", "3m", "all"):
        assert f'<a href="?range={span}" aria-current="true">' in html(client, range=span)
    assert '<a href="?range=1w" aria-current="true">' in html(client, range="nonsense")


def test_the_curve_is_also_a_table_and_a_gap_is_told(client):
    now = timezone.now()
    for minutes in (1, 2, 3, 300, 301):
        SnapshotFactory(at=now - timedelta(minutes=minutes), total_usd=D(minutes))
    page = html(client, range="1d")
    values = page.split('id="values"')[1].split("</table>")[0]
    assert values.count("<tr>") >= 4
    assert values.count("not recorded") == 1
    assert "Lowest" in page


def test_before_the_first_sync_there_are_no_figures(client):
    SyncRunFactory._meta.model.objects.all().delete()
    page = html(client)
    assert "Waiting for the first sync" in page
    assert "$0.00" not in page


def test_the_file_has_every_holding_with_exact_numbers(client):
    some_holdings()
    answer = client.get("/portfolio/", {"format": "csv"})
    text = b"".join(answer.streaming_content).decode().removeprefix(UTF8_BOM)
    rows = {row["currency"]: row for row in csv.DictReader(StringIO(text, newline=""))}
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert rows["BTC"]["average_cost_usd"] == "50000"
    assert rows["XYZ"]["market_value_usd"] == ""
    assert rows["USD"]["unrealised_usd"] == ""


def test_an_average_is_two_digits_finer_than_the_price_in_the_file(client):
    InstrumentFactory()  # BTC_USD, in cents
    CostFactory(quantity=D(3), cost_usd=D(100))
    BalanceFactory(quantity=D(3))
    answer = client.get("/portfolio/", {"format": "csv"})
    text = b"".join(answer.streaming_content).decode().removeprefix(UTF8_BOM)
    (row,) = csv.DictReader(StringIO(text, newline=""))
    assert row["average_cost_usd"] == "33.3333"


def test_the_smaller_ones_share_one_part(client):
    for n in range(8):
        BalanceFactory(currency=f"C{n}", market_value_usd=D(10 - n))
    parts = allocation(load_dashboard().portfolio)
    assert [part.label for part in parts] == ["C0", "C1", "C2", "C3", "C4", ""]
    assert sum(part.percent for part in parts) == pytest.approx(100)


def test_a_rest_of_one_coin_is_named_with_its_own_colour():
    for n in range(6):
        BalanceFactory(currency=f"C{n}", quantity=D(10 - n), price_usd=D(1))
    holdings = load_dashboard().portfolio
    parts = allocation(holdings)
    assert [part.label for part in parts] == [f"C{n}" for n in range(6)]
    assert parts[-1].css_class == coin_colour(holdings[-1].place)


def test_as_many_statements_for_many_coins_as_for_few(client):
    counts = []
    for more in (2, 30):
        for n in range(more):
            BalanceFactory(currency=f"C{n}")
            SnapshotFactory(at=timezone.now() - timedelta(minutes=n, seconds=more))
        with queries() as statements:
            html(client)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 32
