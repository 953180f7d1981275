"""The committed catalogue holds real markets that the desk will meet."""

from decimal import Decimal
from importlib import resources

from exchange.simulator.markets import recorded_catalogue

CATALOGUE = recorded_catalogue()


def test_it_has_forty_spot_pairs_and_four_perpetuals() -> None:
    perpetuals = [market for market in CATALOGUE.markets.values() if market.is_perpetual]
    assert len(perpetuals) == 4
    assert len(CATALOGUE.markets) - len(perpetuals) >= 40


def test_it_has_the_awkward_grids() -> None:
    assert CATALOGUE.markets["SHIB_USD"].qty_tick == CATALOGUE.markets["PEPE_USD"].qty_tick == 10_000
    assert min(market.price_tick for market in CATALOGUE.markets.values()) <= Decimal("0.00000001")


def test_every_starting_price_lies_on_its_tick() -> None:
    off = [m.symbol for m in CATALOGUE.markets.values() if m.price <= 0 or m.price % m.price_tick]
    assert off == []


def test_every_index_of_a_perpetual_has_its_spot_pair() -> None:
    assert CATALOGUE.indexes()["BTCUSD-INDEX"] == "BTC_USD"
    assert set(CATALOGUE.indexes().values()) <= set(CATALOGUE.markets)


def test_the_file_is_small_and_names_its_source() -> None:
    text = resources.files("exchange.simulator").joinpath("catalogue.json").read_text()
    assert len(text) < 60_000
    assert '"at": "2026-08-16"' in text
