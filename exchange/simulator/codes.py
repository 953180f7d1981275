"""The answer codes the simulator gives, with name and HTTP status (dossier 3), and the refusal that carries one."""

from typing import Any

CODES: dict[int, tuple[str, int]] = {
    0: ("", 200),
    10001: ("SYS_ERROR", 500),
    10004: ("BAD_REQUEST", 400),
    204: ("DUPLICATE_CLORDID", 400),
    206: ("INSTRUMENT_EXPIRED", 500),
    208: ("INSTRUMENT_NOT_TRADABLE", 400),
    209: ("INVALID_INSTRUMENT", 400),
    212: ("INVALID_ORDERID", 500),
    213: ("INVALID_ORDERQTY", 400),
    215: ("INVALID_FEE_CURRENCY", 500),
    218: ("INVALID_ORDTYPE", 400),
    219: ("INVALID_EXECINST", 500),
    220: ("INVALID_SIDE", 400),
    221: ("INVALID_TIF", 400),
    229: ("INVALID_REF_PRICE", 400),
    230: ("INVALID_REF_PRICE_TYPE", 400),
    306: ("INSUFFICIENT_AVAILABLE_BALANCE", 500),
    308: ("INVALID_PRICE", 400),
    314: ("EXCEEDS_MAX_ORDER_SIZE", 400),
    315: ("FAR_AWAY_LIMIT_PRICE", 400),
    316: ("NO_ACTIVE_ORDER", 500),
    318: ("EXCEEDS_MAX_ALLOWED_ORDERS", 400),
    412: ("ACCOUNT_NO_DERIV_ACCESS", 500),
    415: ("BELOW_MIN_ORDER_SIZE", 500),
    30024: ("MAX_AMOUNT_VIOLATED", 400),
    40001: ("BAD_REQUEST", 400),
    40002: ("METHOD_NOT_FOUND", 400),
    40003: ("INVALID_REQUEST", 400),
    40004: ("MISSING_OR_INVALID_ARGUMENT", 400),
    40005: ("INVALID_DATE", 400),
    40006: ("DUPLICATE_REQUEST", 400),
    40101: ("UNAUTHORIZED", 401),
    40102: ("INVALID_NONCE", 400),
    40103: ("IP_ILLEGAL", 401),
    40401: ("NOT_FOUND", 200),
    40801: ("REQUEST_TIMEOUT", 408),
    42901: ("TOO_MANY_REQUESTS", 429),
    43003: ("FILL_OR_KILL", 500),
    43004: ("IMMEDIATE_OR_CANCEL", 500),
    43005: ("POST_ONLY_REJ", 500),
    43012: ("SELF_TRADE_PREVENTION", 200),
    50001: ("ERR_INTERNAL", 400),
    120009: ("REJECTED", 500),
    130008: ("NON_APPLICABLE", 500),
}

UNLISTED: dict[int, str] = {
    325: "EXCEED_DAILY_VOL_LIMIT",
    416: "USER_NO_MARGIN_ACCESS",
    50002: "INVALID_PRICE",
    50007: "INVALID_TRIGGER_PRICE",
    50010: "INVALID_ORDER_PARAMETERS",
    140001: "API_DISABLED",
    9010001: "SYSTEM_MAINTENANCE",
}


def name_of(code: int) -> str:
    """The official name, or the name seen in the field; "UNKNOWN" for a code of no list."""
    if code in CODES:
        return CODES[code][0]
    return UNLISTED.get(code, "UNKNOWN")


class Refusal(Exception):
    """The exchange says no. `result` is filled where an order record exists all the same (dossier 1.1)."""

    def __init__(self, code: int, message: str = "", result: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code} {message or name_of(code)}")
        self.code = code
        self.message = message or name_of(code)
        self.result = result
