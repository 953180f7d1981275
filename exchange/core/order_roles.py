"""The role an order plays, from its shape alone (pure)."""

from collections.abc import Collection

from exchange.core.instrument_names import base_of

STOP_ORDER_TYPES = ("STOP_LOSS", "STOP_LIMIT")
TAKE_PROFIT_ORDER_TYPES = ("TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


def role_of(*, order_type: str, side: str, instrument_name: str, in_pair: bool, cash: Collection[str]) -> str:
    """ENTRY, EXIT, STOP_LOSS, TAKE_PROFIT; empty where cash is only exchanged for other cash.

    `in_pair` is true for a leg of an OCO list, whose LIMIT leg is the take profit (dossier 5.23).
    """
    if order_type in STOP_ORDER_TYPES:
        return "STOP_LOSS"
    if order_type in TAKE_PROFIT_ORDER_TYPES or (in_pair and side == "SELL"):
        return "TAKE_PROFIT"
    if base_of(instrument_name) in cash:
        return ""
    return "ENTRY" if side == "BUY" else "EXIT"
