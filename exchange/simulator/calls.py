"""One request as the methods see it, and typed readers of its parameters with the codes of dossier 1.2 and 5.11."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exchange.simulator.codes import Refusal
from exchange.simulator.decimals import parse

MAX_CLIENT_OID = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`reference` is what an order without client_oid gets for one: the request id, or the nonce (quirk)."""

    method: str
    params: dict[str, Any] = field(default_factory=dict)
    reference: str = "0"


def text(params: dict[str, Any], name: str) -> str | None:
    """The value as text; numbers are accepted for ids. Missing and null are None."""
    value = params.get(name)
    return None if value is None else str(value)


def required(params: dict[str, Any], name: str) -> str:
    value = text(params, name)
    if not value:
        raise Refusal(40004, f"Missing {name}")
    return value


def amount(params: dict[str, Any], name: str, *, wrong_type: int, wrong_value: int) -> Decimal | None:
    """A positive number sent as a string. A JSON number is refused with `wrong_type`."""
    value = params.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refusal(wrong_type)
    number = parse(value)
    if number is None or number <= 0:
        raise Refusal(wrong_value)
    return number


def quantity(params: dict[str, Any], name: str = "quantity") -> Decimal | None:
    return amount(params, name, wrong_type=40101, wrong_value=213)


def price(params: dict[str, Any], name: str = "price", *, code: int = 308) -> Decimal | None:
    return amount(params, name, wrong_type=308, wrong_value=code)


def notional(params: dict[str, Any]) -> Decimal | None:
    return amount(params, "notional", wrong_type=50001, wrong_value=213)


def ref_price(params: dict[str, Any], name: str = "ref_price") -> Decimal | None:
    return amount(params, name, wrong_type=229, wrong_value=229)


def client_oid(params: dict[str, Any], name: str = "client_oid") -> str | None:
    value = text(params, name)
    if value is not None and len(value) > MAX_CLIENT_OID:
        raise Refusal(40004, f"Invalid {name}")
    return value or None


def one_of(params: dict[str, Any], name: str, allowed: tuple[str, ...], code: int, default: str = "") -> str:
    """An enum value, or `default` when missing; without default a missing one is 40004."""
    value = text(params, name) or default
    if not value:
        raise Refusal(40004, f"Missing {name}")
    if value not in allowed:
        raise Refusal(code)
    return value


def names(params: dict[str, Any], name: str, allowed: tuple[str, ...], code: int) -> list[str]:
    """An array of enum values."""
    value = params.get(name) or []
    if not isinstance(value, list):
        raise Refusal(40004, f"Invalid {name}")
    if any(each not in allowed for each in value):
        raise Refusal(code)
    return [str(each) for each in value]
