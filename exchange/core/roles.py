"""What part an order plays, told from its shape alone (pure)."""

from collections.abc import Collection

STOPS = ("STOP_LOSS", "STOP_LIMIT")
TARGETS = ("TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


def role_of(*, order_type: str, side: str, instrument_name: str, in_pair: bool, cash: Collection[str]) -> str:
    """ENTRY, EXIT, STOP_LOSS, TAKE_PROFIT, or nothing where cash is only changed for other cash.

    `in_pair` is true for a leg of an OCO list, whose LIMIT leg is the target (dossier 5.23).
    """
    if order_type in STOPS:
        return "STOP_LOSS"
    if order_type in TARGETS or (in_pair and side == "SELL"):
        return "TAKE_PROFIT"
    if base_of(instrument_name) in cash:
        return ""
    return "ENTRY" if side == "BUY" else "EXIT"


def base_of(instrument_name: str) -> str:
    """`BTC` of `BTC_USD`, `SHIB` of `SHIB_BTC@OEX_HK`; a derivative's name is its own."""
    return instrument_name.split("_", 1)[0]


def is_derivative(instrument_name: str) -> bool:
    """`BTCUSD-PERP` is one: the name of every spot pair joins two currencies by an underscore."""
    return "_" not in instrument_name
