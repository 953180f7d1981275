"""Orders of somebody else and price changes in the simulator, to rehearse with. In a dry run only.

They go through the door for controls of the simulator, which takes them from this machine only. The desk then learns
of them as of everything that happens on an exchange: by reading.
"""

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from exchange.client.transport import NoResponse, Transport, new_session
from exchange.core.hosts import is_loopback_name
from exchange.services.permissions import Right, require

MAX_AMOUNT_USD = Decimal(1_000_000)
MAX_FALL_PCT, MAX_RISE_PCT = Decimal(-90), Decimal(900)
TIMEOUT = (2.0, 10.0)
TOO_SMALL, NO_FUNDS = 213, 306
OK, REFUSED = 200, 400


class SimulationRefused(ValueError):
    """Nothing was done; the message is for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedOrder:
    """A market order that was executed; `value` is in the quote currency."""

    order_id: str
    instrument_name: str
    side: str
    quantity: Decimal
    value: Decimal

    @property
    def average_price(self) -> Decimal:
        return self.value / self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedPrice:
    """The new last and mark price."""

    instrument_name: str
    last: Decimal
    mark: Decimal


def simulated_order_place(*, instrument_name: str, side: str, amount_usd: Decimal) -> SimulatedOrder:
    """A market order worth about `amount_usd`, as another program of the same account would send it.

    `side` is BUY or SELL. Raises SimulationRefused and PermissionDenied.
    """
    require(Right.TRADE)
    if not Decimal(0) < amount_usd <= MAX_AMOUNT_USD:
        raise SimulationRefused(_("The amount must be above 0 and at most 1,000,000 USD."))
    body = {"instrument_name": instrument_name, "side": side, "amount_usd": str(amount_usd)}
    answer = _control("market_order", body)
    quantity = Decimal(answer["quantity"])
    if not quantity:
        raise SimulationRefused(_("The simulator executed nothing of this order."))
    return SimulatedOrder(
        order_id=answer["order_id"],
        instrument_name=instrument_name,
        side=side,
        quantity=quantity,
        value=Decimal(answer["value"]),
    )


def simulated_price_set(
    *, instrument_name: str, price: Decimal | None = None, percent: Decimal | None = None
) -> SimulatedPrice:
    """Move the market to `price`, or by `percent`. Raises SimulationRefused and PermissionDenied."""
    require(Right.TRADE)
    if price is not None and price <= 0:
        raise SimulationRefused(_("The price must be above 0."))
    if percent is not None and not MAX_FALL_PCT <= percent <= MAX_RISE_PCT:
        raise SimulationRefused(_("A price can fall by at most 90 % and rise by at most 900 %."))
    changes = {"price": price, "percent": percent}
    body = {name: str(value) for name, value in changes.items() if value is not None}
    answer = _control("price", {"instrument_name": instrument_name, **body})
    return SimulatedPrice(
        instrument_name=instrument_name, last=Decimal(answer["last"]), mark=Decimal(answer["mark"])
    )


def _control(verb: str, body: dict[str, str]) -> dict[str, Any]:
    address = urlsplit(settings.CRYPTO_COM_REST_URL)
    if settings.ENVIRONMENT != "DRY_RUN" or not is_loopback_name(address.netloc):
        raise SimulationRefused(
            _("This works in a dry run only: LIVE and SANDBOX have no simulator. Nothing was sent.")
        )
    transport = Transport(f"{address.scheme}://{address.netloc}/_control", new_session(), TIMEOUT)
    try:
        response = transport.post(verb, json.dumps(body).encode())
    except NoResponse as error:
        raise SimulationRefused(_no_answer(error)) from None
    finally:
        transport.close()
    answer = _parse(response.body)
    if response.status == OK and answer is not None:
        return answer
    raise SimulationRefused(_refusal(response.status, answer or {}, body))


def _parse(content: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(content)
    except (ValueError, InvalidOperation):
        return None
    return answer if isinstance(answer, dict) else None


def _no_answer(error: NoResponse) -> str:
    if error.sent:
        return _("The simulator did not answer in time. Look at the orders before you try again.")
    return _("The simulator at %s does not answer. Is the desk running? Nothing was sent.") % _place()


def _place() -> str:
    return str(urlsplit(settings.CRYPTO_COM_REST_URL).netloc)


def _refusal(status: int, answer: dict[str, Any], body: dict[str, str]) -> str:
    name, code = body["instrument_name"], answer.get("code")
    if code == NO_FUNDS:
        return _("The simulated account does not have that much available. Open orders reserve a part of it.")
    if code == TOO_SMALL:
        return _("This amount is less than the smallest quantity of %s.") % name
    if status == REFUSED and str(answer.get("error", "")).startswith("KeyError"):
        return _("The simulator does not know %s. Write it like BTC_USD.") % name
    if status != REFUSED:
        return _("What answers at %s is not the simulator of this version. Restart the desk.") % _place()
    return _("The simulator refused it: %s") % str(answer.get("error", ""))
