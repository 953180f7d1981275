"""One way to write numbers in each language: on pages, in the admin, in the file for spreadsheets."""

import csv
from decimal import Decimal as D
from io import StringIO

import pytest
from django.test import Client

from portfolio.dashboard.selectors import load_dashboard
from portfolio.views.dashboard import allocation as of_dashboard
from portfolio.views.lists import UTF8_BOM
from portfolio.views.portfolio import allocation as of_portfolio
from tests.factories import BalanceFactory, UserFactory

pytestmark = pytest.mark.django_db


def browser(language):
    client = Client(headers={"accept-language": language})
    client.force_login(UserFactory())
    return client


def file(client, **query):
    answer = client.get("/portfolio/", {"format": "csv", **query})
    return b"".join(answer.streaming_content).decode().removeprefix(UTF8_BOM)


def rows(text, separator):
    return list(csv.DictReader(StringIO(text, newline=""), delimiter=separator))


def test_a_page_has_the_commas_and_points_of_its_language():
    BalanceFactory(quantity=D("1234.5"), price_usd=D("60000.25"), market_value_usd=D("1234567.89"))
    english, spanish = (browser(language).get("/portfolio/").content.decode() for language in ("en", "es"))
    assert '<data value="1234567.89">$1,234,567.89</data>' in english
    assert '<data value="1234567.89">$1.234.567,89</data>' in spanish
    assert ">1,234.5</data>" in english
    assert ">1.234,5</data>" in spanish


@pytest.mark.parametrize(("language", "text"), [("en", "1,234.5"), ("es", "1.234,5")])
def test_the_admin_writes_them_in_the_same_way(language, text):
    row = BalanceFactory(quantity=D("1234.5"), available=D("0"))
    for path in ("/admin/portfolio/balance/", f"/admin/portfolio/balance/{row.pk}/change/"):
        assert f">{text}<" in browser(language).get(path).content.decode()


def test_the_file_for_a_spreadsheet_is_written_as_it_reads():
    BalanceFactory(quantity=D("1234.5"))
    (spanish,) = rows(file(browser("es"), ids="text"), ";")
    (english,) = rows(file(browser("en"), ids="text"), ",")
    assert (spanish["quantity"], english["quantity"]) == ("1234,5", "1234.5")


def test_the_file_for_programs_is_the_same_in_every_language():
    BalanceFactory(quantity=D("1234.5"))
    assert file(browser("es")) == file(browser("en"))
    assert "1234.5," in file(browser("es"))


def test_a_coin_keeps_its_colour_when_another_overtakes_it():
    for worth, name in enumerate(("AAA", "BBB", "CCC"), 1):
        BalanceFactory(currency=name, market_value_usd=D(worth))

    def colours():
        holdings = load_dashboard().portfolio
        shares = [*of_dashboard(holdings), *of_portfolio(holdings)]
        return {(one.label, one.css_class) for one in shares}, [one.label for one in shares]

    before, order = colours()
    BalanceFactory._meta.model.objects.filter(currency="AAA").update(market_value_usd=D(9))
    after, other_order = colours()
    assert before == after
    assert len(before) == 3
    assert order != other_order
