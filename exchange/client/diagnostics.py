"""Checks the connection step by step; a step that fails comes with what to do."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from exchange.client.client import Client
from exchange.client.clock import MAX_CLOCK_OFFSET_MS
from exchange.client.errors import ExchangeError, describe_nonce_refusal
from exchange.schemas import NameSpace

IP_REFUSED, NONCE_REFUSED = 40103, 40102
KEY_READ_S = 4.0  # of each read with the key: a cycle waits for all of them


@dataclass(frozen=True, slots=True)
class Step:
    """One line of `check_connection`. `passed` is None for what cannot be proved."""

    name: str
    passed: bool | None
    text: str


def run_diagnostics(
    client: Client, *, turn: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Iterator[Step]:
    """Address, clock, key, balance, orders of both name spaces, IP refusal, trading permission. The reads with the key
    run within `turn`.
    """
    address = _check(
        "address", lambda: f"{client.base_url} answers, {len(client.tickers())} instruments have a ticker"
    )
    yield address
    refusals: list[ExchangeError] = []
    with turn():
        steps = [_check_key(client, name, read, refusals) for name, read in _key_checks(client)]
    is_nonce_refused = any(error.code == NONCE_REFUSED for error in refusals)
    yield _check_clock(client, is_reachable=address.passed is True, is_nonce_refused=is_nonce_refused)
    yield from steps
    yield _check_ip(refusals, any(step.passed is True for step in steps))
    yield Step("trading permission", None, "cannot be proved without sending an order; none was sent")


def _key_checks(client: Client) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "key accepted", lambda: f"account {client.accounts().uuid}"
    yield "balance readable", lambda: f"{len(client.balance().positions)} currencies"
    yield "orders readable", lambda: f"{len(client.open_orders(NameSpace.PLAIN))} open"
    yield "advanced orders readable", lambda: f"{len(client.open_orders(NameSpace.ADVANCED))} open"


def _check_key(client: Client, name: str, read: Callable[[], str], refusals: list[ExchangeError]) -> Step:
    with client.answer_within(KEY_READ_S):
        return _check(name, read, refusals)


def _check(name: str, read: Callable[[], str], refusals: list[ExchangeError] | None = None) -> Step:
    """A reason is given once in full, then only that it is the same."""
    try:
        return Step(name, True, read())
    except ExchangeError as error:
        seen = [(one.message, one.code) for one in refusals or ()]
        if refusals is not None:
            refusals.append(error)
        same = (error.message, error.code) in seen
        return Step(name, False, f"{error.method}: the same as above" if same else str(error))


def _check_clock(client: Client, *, is_reachable: bool, is_nonce_refused: bool) -> Step:
    """The exchange measures our clock by the nonce, we measure it by the Date header: both must agree."""
    offset = client.clock_offset_ms
    if offset is not None and not is_reachable:
        return Step("clock", None, "not known: what answers at the address may not be the exchange")
    if offset is None:
        return Step("clock", False, "could not be measured: no answer carried the exchange's time")
    text = f"the exchange's clock is {offset / 1000:+.1f} s from this machine's"
    if abs(offset) > MAX_CLOCK_OFFSET_MS:
        return Step("clock", False, f"{text}. Set this machine's clock (NTP); at 60 s every call is refused.")
    if is_nonce_refused:
        return Step("clock", False, f"{text} by its Date header, but {describe_nonce_refusal()}")
    return Step("clock", True, text)


def _check_ip(refusals: list[ExchangeError], was_answered: bool) -> Step:
    if any(error.code == IP_REFUSED for error in refusals):
        return Step(
            "IP address", False, "refused: add this machine's address to the key's allow-list (see above)"
        )
    if was_answered:
        return Step("IP address", True, "not refused")
    return Step("IP address", None, "not known: no call with the key was answered")
