"""The simulator's state over restarts: one JSON file, always whole, readable only by its owner."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

from exchange.simulator.exchange import Exchange
from exchange.simulator.market_data import Prices

logger = logging.getLogger(__name__)

FORMAT = 1
FILE_MODE = 0o600


class StateUnreadable(Exception):
    """The file exists but is not a whole state. The message has the path and what to do; nothing was changed."""

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(
            f"The simulator's state in {path} cannot be read ({reason}). "
            "Move that file away to start with a new account, or put a good copy in its place."
        )


def save(path: Path, exchange: Exchange, prices: Prices) -> None:
    """Write a new file, then rename it, so that a crash leaves either the old state or the new one."""
    with exchange.lock:
        state = {"format": FORMAT, "prices": prices.to_state(), "exchange": exchange.to_state()}
        text = json.dumps(state)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    with open(
        os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def load(path: Path, now_ms: Callable[[], int]) -> tuple[Exchange, Prices]:
    """The exchange and its market as they were saved. Raises StateUnreadable; FileNotFoundError when new."""
    text = path.read_bytes()
    try:
        return _restore(json.loads(text), now_ms)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise StateUnreadable(path, f"{type(error).__name__}: {error}") from error


def _restore(state: dict[str, Any], now_ms: Callable[[], int]) -> tuple[Exchange, Prices]:
    if state["format"] != FORMAT:
        raise ValueError(f"format {state['format']}, this version reads format {FORMAT}")
    prices = Prices.from_state(state["prices"])
    return Exchange.from_state(state["exchange"], prices=prices, now_ms=now_ms), prices


class StateSaver:
    """Saves in the background after changes, at most once per `interval` seconds, and once at the end."""

    def __init__(self, path: Path, exchange: Exchange, prices: Prices, *, interval: float = 1.0) -> None:
        self._path, self._exchange, self._prices, self._interval = path, exchange, prices, interval
        self._ended = Event()
        self._thread = Thread(target=self._save_loop, name="simulator-state", daemon=True)

    def __enter__(self) -> StateSaver:
        self._save()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._save()

    def _save_loop(self) -> None:
        while not self._ended.wait(self._interval):
            if self._exchange.revision != self._saved:
                self._try_to_save()

    def _try_to_save(self) -> None:
        try:
            self._save()
        except OSError:
            logger.exception("The simulator's state could not be saved to %s; trying again", self._path)

    def _save(self) -> None:
        revision = self._exchange.revision
        save(self._path, self._exchange, self._prices)
        self._saved = revision
