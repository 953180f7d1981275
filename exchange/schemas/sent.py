"""What we send when we place an order, and what the exchange answers at once (dossier 5.11, 5.21, 5.23)."""

from dataclasses import dataclass
from decimal import Decimal

CLIENT_OID_LENGTH = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order to place. `client_oid` is mandatory: else the exchange invents one (dossier 5.11.1)."""

    instrument_name: str
    side: str
    type: str
    client_oid: str
    quantity: Decimal | None = None
    price: Decimal | None = None
    notional: Decimal | None = None
    ref_price: Decimal | None = None
    ref_price_type: str = ""
    time_in_force: str = ""
    exec_inst: tuple[str, ...] = ()
    fee_instrument_name: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.client_oid) <= CLIENT_OID_LENGTH:
            raise ValueError(f"client_oid needs 1 to {CLIENT_OID_LENGTH} characters")
        if self.quantity is None and self.notional is None:
            raise ValueError("an order needs a quantity or a notional")

    def to_params(self) -> dict[str, str | list[str]]:
        """The request's parameters: numbers as plain decimal text, empty fields left out (dossier 1.2)."""
        params: dict[str, str | list[str]] = {name: getattr(self, name) for name in WORDS}
        params |= {name: plain_number(name, getattr(self, name)) for name in NUMBERS}
        params |= {"exec_inst": list(self.exec_inst)}
        return {name: value for name, value in params.items() if value}


NUMBERS = ("quantity", "price", "notional", "ref_price")
WORDS = (
    "instrument_name",
    "side",
    "type",
    "client_oid",
    "ref_price_type",
    "time_in_force",
    "fee_instrument_name",
)


def plain_number(name: str, value: Decimal | None) -> str:
    """Positive decimal text without exponent; "" for None."""
    if value is None:
        return ""
    if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
        raise ValueError(f"{name} must be a positive decimal number")
    return format(value, "f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The exchange received a request. It does not say that an order is active or cancelled (dossier 5)."""

    order_id: str
    client_oid: str
    code: int
    message: str
