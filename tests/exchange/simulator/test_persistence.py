"""The simulator's state survives a restart, whole or not at all."""

import gzip
import json
import os
import time
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange.simulator.config import BehaviourOptions
from exchange.simulator.demo_account import MarketMismatch, new_account, open_account
from exchange.simulator.exchange import Exchange
from exchange.simulator.market_data import Prices
from exchange.simulator.models import Order, OrderList, Position, Trade
from exchange.simulator.persistence import StateSaver, StateUnreadable, load, save
from tests.programs import wait_until

NOW = 1_795_000_000_000
SAVED_0_1_0_MS = 1_795_000_004_000
FIXTURES = Path(__file__).parents[2] / "fixtures"


def clock() -> int:
    return NOW


@pytest.fixture(scope="module")
def first_save(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("first") / "state.json"
    save(path, *new_account(key="k", secret="s", now_ms=clock))
    return path


@pytest.fixture
def account(first_save: Path) -> tuple[Exchange, Prices]:
    return load(first_save, clock)


def test_everything_comes_back(tmp_path: Path, account: tuple[Exchange, Prices]) -> None:
    exchange, prices = account
    prices.set_price("BTC_USD", NOW, Decimal("70000.01"))
    save(tmp_path / "state.json", exchange, prices)
    back, market = load(tmp_path / "state.json", clock)
    assert back.to_state() == exchange.to_state()
    assert back.audit() == []
    assert market.last("BTC_USD", NOW + 99_000) == prices.last("BTC_USD", NOW + 99_000)


def test_what_happened_meanwhile_is_the_same_as_without_the_restart(
    tmp_path: Path, account: tuple[Exchange, Prices]
) -> None:
    exchange, prices = account
    save(tmp_path / "state.json", exchange, prices)
    back, _ = load(tmp_path / "state.json", clock)
    for each in (exchange, back):
        each.advance(NOW + 600_000)
    assert back.ledger.balances == exchange.ledger.balances
    assert len(back.trades.rows) == len(exchange.trades.rows)


def test_the_file_is_for_its_owner_only(tmp_path: Path, account: tuple[Exchange, Prices]) -> None:
    path = tmp_path / "new folder" / "state.json"
    save(path, *account)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["state.json"]


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"format": 99}', "half"])
def test_a_broken_file_is_named_and_left_alone(
    tmp_path: Path, account: tuple[Exchange, Prices], damage: str
) -> None:
    path = tmp_path / "state.json"
    save(path, *account)
    whole = path.read_text()
    broken = whole[: len(whole) // 2] if damage == "half" else damage
    path.write_text(broken)
    with pytest.raises(StateUnreadable, match=r"state\.json cannot be read .* Move that file away"):
        open_account(path, key="k", secret="s", now_ms=clock)
    assert path.read_text() == broken


def test_a_failed_save_leaves_the_old_file(
    tmp_path: Path, account: tuple[Exchange, Prices], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    save(path, *account)
    old = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save(path, *account)
    assert path.read_bytes() == old


def saved_dollars(path: Path) -> Decimal:
    return load(path, clock)[0].ledger.balance_of("USD")


def test_the_saver_saves_changes_and_only_changes(tmp_path: Path, account: tuple[Exchange, Prices]) -> None:
    path, (exchange, prices) = tmp_path / "state.json", account
    with StateSaver(path, exchange, prices, interval=0.02):
        first = path.stat().st_mtime_ns
        time.sleep(0.1)
        assert path.stat().st_mtime_ns == first
        exchange.deposit("USD", Decimal(5))
        wait_until(lambda: saved_dollars(path) == exchange.ledger.balance_of("USD"))
        exchange.deposit("USD", Decimal(7))
    assert saved_dollars(path) == exchange.ledger.balance_of("USD")


def test_the_saver_survives_a_full_disk(
    tmp_path: Path, account: tuple[Exchange, Prices], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, (exchange, prices), real = tmp_path / "state.json", account, os.fsync
    with StateSaver(path, exchange, prices, interval=0.02):
        monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
        exchange.deposit("USD", Decimal(5))
        time.sleep(0.1)
        monkeypatch.setattr("os.fsync", real)
        wait_until(lambda: saved_dollars(path) == exchange.ledger.balance_of("USD"))


def test_another_seed_or_speed_needs_another_file(tmp_path: Path, account: tuple[Exchange, Prices]) -> None:
    save(tmp_path / "state.json", *account)
    with pytest.raises(MarketMismatch, match="--seed 1"):
        open_account(tmp_path / "state.json", key="k", secret="s", now_ms=clock, seed=2)
    with pytest.raises(MarketMismatch, match="--speed 1"):
        open_account(tmp_path / "state.json", key="k", secret="s", now_ms=clock, speed=60)


def test_a_new_key_opens_the_saved_account(tmp_path: Path, account: tuple[Exchange, Prices]) -> None:
    save(tmp_path / "state.json", *account)
    exchange, _ = open_account(tmp_path / "state.json", key="other", secret="new", now_ms=clock, seed=1)
    assert exchange.keys == {"other": "new"}
    assert exchange.account_uuid == account[0].account_uuid


@pytest.fixture(scope="module")
def state_0_1_0(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("old") / "state.json"
    path.write_bytes(gzip.decompress((FIXTURES / "simulator-0.1.0.json.gz").read_bytes()))
    return path


def of_then(now: Any, then: Any) -> Any:
    """Of the state of today the fields that there were then; those added since have their defaults."""
    if isinstance(then, dict):
        return {name: of_then(now[name], value) for name, value in then.items()}
    if isinstance(then, list):
        assert len(now) == len(then)
        return [of_then(one, other) for one, other in zip(now, then, strict=True)]
    return now


def test_a_state_of_version_0_1_0_is_read_whole(state_0_1_0: Path) -> None:
    """It holds each kind of record, moved prices, a mark gap, and changed fees and behaviour options."""
    exchange, prices = load(state_0_1_0, lambda: SAVED_0_1_0_MS)
    saved = json.loads(state_0_1_0.read_text())
    assert of_then(exchange.to_state(), saved["exchange"]) == saved["exchange"]
    assert of_then(prices.to_state(), saved["prices"]) == saved["prices"]
    assert exchange.audit() == []


def test_a_state_of_version_0_1_0_goes_on_as_it_would_have_then(state_0_1_0: Path) -> None:
    """The expected values were computed with version 0.1.0: the same market, the same fills."""
    exchange, prices = load(state_0_1_0, lambda: SAVED_0_1_0_MS + 600_000)
    exchange.advance()
    assert prices.last("BTC_USD", SAVED_0_1_0_MS + 600_000) == Decimal("60840.03")
    assert exchange.ledger.balances == {
        "USD": Decimal("30671.6911066106075"),
        "BTC": Decimal("0.10193125650"),
        "SOL": Decimal("76.360329000"),
        "XRP": Decimal("4856.3666900"),
        "ETH": Decimal("2.6129221275"),
        "CRO": Decimal("146772.085175"),
    }
    assert (len(exchange.trades.rows), len(list(exchange.open_orders()))) == (277, 9)
    assert exchange.audit() == []


def test_the_names_of_saved_fields_are_those_of_version_0_1_0(state_0_1_0: Path) -> None:
    """A renamed field of a record, option or fee would make a saved state unreadable."""
    saved = json.loads(state_0_1_0.read_text())["exchange"]
    assert saved["quirks"].keys() <= BehaviourOptions().as_dict().keys()
    for kind, name in ((Order, "orders"), (OrderList, "lists"), (Trade, "trades"), (Position, "positions")):
        assert saved[name][0].keys() <= {each.name for each in fields(kind)}
