"""Opening the dry-run account: as it was saved, or new with a made-up past."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from exchange.simulator.life import seed_life
from exchange.simulator.prices import Prices
from exchange.simulator.state import Exchange
from exchange.simulator.store import load

DEFAULT_SEED, DEFAULT_SPEED = 1, 1.0


class OtherMarket(Exception):
    """The saved account lives in a market with another seed or speed than the one asked for."""


def account_uuid(seed: int, key: str) -> str:
    """The same account for the same seed and key, on every machine."""
    return str(uuid5(NAMESPACE_URL, f"exchange-desk-simulator:{seed}:{key}"))


def open_account(
    path: Path,
    *,
    key: str,
    secret: str,
    now_ms: Callable[[], int],
    seed: int | None = None,
    speed: float | None = None,
) -> tuple[Exchange, Prices]:
    """Raises StateUnreadable and OtherMarket; never starts anew over a file that exists."""
    if not path.exists():
        return new_account(key=key, secret=secret, now_ms=now_ms, seed=seed, speed=speed)
    exchange, prices = load(path, now_ms)
    for name, wanted, saved in (("seed", seed, prices.seed), ("speed", speed, prices.tempo.speed)):
        if wanted is not None and wanted != saved:
            raise OtherMarket(
                f"{path} was begun with --{name} {saved}: leave --{name} out, or name another --state"
            )
    exchange.keys = {key: secret}
    return exchange, prices


def new_account(
    *, key: str, secret: str, now_ms: Callable[[], int], seed: int | None = None, speed: float | None = None
) -> tuple[Exchange, Prices]:
    """A fresh market that begins now, and an account with a past in it."""
    seed, speed, now = DEFAULT_SEED if seed is None else seed, speed or DEFAULT_SPEED, now_ms()
    prices = Prices(seed=seed, origin_ms=now, speed=speed)
    uuid = account_uuid(seed, key)
    exchange = Exchange(prices, now_ms=now_ms, account_uuid=uuid, key=key, secret=secret)
    seed_life(exchange, prices, now)
    return exchange, prices
