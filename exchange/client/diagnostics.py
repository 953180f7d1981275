"""Checks the connection step by step; a step that fails comes with what to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from exchange.client.client import Client
from exchange.client.errors import ExchangeError
from exchange.schemas import NameSpace

MAX_CLOCK_OFFSET_MS = (
    10_000  # the exchange refuses at 60 s (dossier 2.2); a drift should be fixed long before
)
IP_REFUSED = 40103


@dataclass(frozen=True, slots=True)
class Step:
    """One line of `check_connection`. `passed` is None for what cannot be proved."""

    name: str
    passed: bool | None
    text: str


def run_diagnostics(client: Client) -> Iterator[Step]:
    """Address, clock, key, balance, orders of both name spaces, IP refusal, trading permission."""
    address = _check(
        "address", lambda: f"{client.base_url} answers, {len(client.tickers())} instruments have a ticker"
    )
    yield address
    yield _check_clock(client, is_reachable=address.passed is True)
    refusals: list[ExchangeError] = []
    was_answered = False
    for name, read in _key_checks(client):
        step = _check(name, read, refusals)
        was_answered = was_answered or step.passed is True
        yield step
    yield _check_ip(refusals, was_answered)
    yield Step("trading permission", None, "cannot be proved without sending an order; none was sent")


def _key_checks(client: Client) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "key accepted", lambda: f"account {client.accounts().uuid}"
    yield "balance readable", lambda: f"{len(client.balance().positions)} currencies"
    yield "orders readable", lambda: f"{len(client.open_orders(NameSpace.PLAIN))} open"
    yield "advanced orders readable", lambda: f"{len(client.open_orders(NameSpace.ADVANCED))} open"


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


def _check_clock(client: Client, *, is_reachable: bool) -> Step:
    offset = client.clock_offset_ms
    if offset is not None and not is_reachable:
        return Step("clock", None, "not known: what answers at the address may not be the exchange")
    if offset is None:
        return Step("clock", False, "could not be measured: no answer carried the exchange's time")
    text = f"the exchange's clock is {offset / 1000:+.1f} s from this machine's"
    if abs(offset) > MAX_CLOCK_OFFSET_MS:
        return Step("clock", False, f"{text}. Set this machine's clock (NTP); at 60 s every call is refused.")
    return Step("clock", True, text)


def _check_ip(refusals: list[ExchangeError], was_answered: bool) -> Step:
    if any(error.code == IP_REFUSED for error in refusals):
        return Step(
            "IP address", False, "refused: add this machine's address to the key's allow-list (see above)"
        )
    if was_answered:
        return Step("IP address", True, "not refused")
    return Step("IP address", None, "not known: no call with the key was answered")
