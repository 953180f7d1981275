"""Opening the dry-run account: as it was saved, or new with a demo history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from exchange.simulator.demo_history import seed_demo_history
from exchange.simulator.exchange import Exchange
from exchange.simulator.market_data import Prices
from exchange.simulator.persistence import load

DEFAULT_SEED, DEFAULT_SPEED = 1, 1.0


class MarketMismatch(Exception):
    """The saved account belongs to a market with another seed or speed than requested."""


def open_account(
    path: Path,
    *,
    key: str,
    secret: str,
    now_ms: Callable[[], int],
    seed: int | None = None,
    speed: float | None = None,
) -> tuple[Exchange, Prices]:
    """Raises StateUnreadable and MarketMismatch. An existing file is never replaced by a new account."""
    if not path.exists():
        return new_account(key=key, secret=secret, now_ms=now_ms, seed=seed, speed=speed)
    exchange, prices = load(path, now_ms)
    for name, requested, saved in (("seed", seed, prices.seed), ("speed", speed, prices.clock.speed)):
        if requested is not None and requested != saved:
            raise MarketMismatch(
                f"{path} was begun with --{name} {saved}: leave --{name} out, or name another --state"
            )
    exchange.keys = {key: secret}
    return exchange, prices


def new_account(
    *, key: str, secret: str, now_ms: Callable[[], int], seed: int | None = None, speed: float | None = None
) -> tuple[Exchange, Prices]:
    """A market that starts now at the recorded prices, and an account with a demo history."""
    seed, speed, now = DEFAULT_SEED if seed is None else seed, speed or DEFAULT_SPEED, now_ms()
    prices = Prices(seed=seed, origin_ms=now, speed=speed)
    uuid = account_uuid(seed, key)
    exchange = Exchange(prices, now_ms=now_ms, account_uuid=uuid, key=key, secret=secret)
    seed_demo_history(exchange, prices, now)
    return exchange, prices


def account_uuid(seed: int, key: str) -> str:
    """The same account for the same seed and key, on every machine."""
    return str(uuid5(NAMESPACE_URL, f"exchange-desk-simulator:{seed}:{key}"))
