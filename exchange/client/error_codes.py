"""The exchange's result codes as data: name, meaning, action class, HTTP status (dossier 3 and 3.1)."""

from dataclasses import dataclass
from enum import StrEnum


class ActionClass(StrEnum):
    """What a code asks of a trading client (dossier 3)."""

    OK = "OK"
    FINAL = "FINAL"  # rejected, repeating is pointless
    WAIT = "WAIT"  # rejected, may succeed later
    RECONCILE = "RECONCILE"  # outcome unknown or an order record exists: look it up before acting
    AUTH = "AUTH"  # the key, its rights or the clock
    RATE = "RATE"  # too many requests
    END = "END"  # how an order ended, not a failure of the call


@dataclass(frozen=True, slots=True)
class CodeInfo:
    code: int
    name: str
    meaning: str
    action: ActionClass
    http: int | None  # None where no source names the status


OK, FINAL, WAIT, RECONCILE, AUTH, RATE, END = ActionClass

# Where the dossier gives two classes: 43005 is END, 325 is WAIT (its ids make it RECONCILE anyway).
OFFICIAL = (
    CodeInfo(0, "", "success", OK, 200),
    CodeInfo(40401, "NOT_FOUND", "order or resource unknown", RECONCILE, 200),
    CodeInfo(43012, "SELF_TRADE_PREVENTION", "cancelled by self-trade prevention", END, 200),
    CodeInfo(202, "ACCOUNT_IS_SUSPENDED", "account suspended", FINAL, 400),
    CodeInfo(204, "DUPLICATE_CLORDID", "client_oid already used", RECONCILE, 400),
    CodeInfo(207, "NO_MARK_PRICE", "no mark price", WAIT, 400),
    CodeInfo(208, "INSTRUMENT_NOT_TRADABLE", "instrument not tradable", FINAL, 400),
    CodeInfo(209, "INVALID_INSTRUMENT", "unknown or missing instrument", FINAL, 400),
    CodeInfo(213, "INVALID_ORDERQTY", "quantity invalid or not a multiple of the tick", FINAL, 400),
    CodeInfo(218, "INVALID_ORDTYPE", "order type invalid", FINAL, 400),
    CodeInfo(220, "INVALID_SIDE", "side invalid", FINAL, 400),
    CodeInfo(221, "INVALID_TIF", "time in force invalid", FINAL, 400),
    CodeInfo(222, "STALE_MARK_PRICE", "mark price stale", WAIT, 400),
    CodeInfo(223, "NO_CLORDID", "client order id missing", FINAL, 400),
    CodeInfo(224, "REJ_BY_MATCHING_ENGINE", "rejected by the matching engine", FINAL, 400),
    CodeInfo(225, "EXCEED_MAXIMUM_ENTRY_LEVERAGE", "entry leverage above maximum", FINAL, 400),
    CodeInfo(226, "INVALID_LEVERAGE", "leverage invalid", FINAL, 400),
    CodeInfo(227, "INVALID_SLIPPAGE", "slippage invalid", FINAL, 400),
    CodeInfo(228, "INVALID_FLOOR_PRICE", "floor price invalid", FINAL, 400),
    CodeInfo(229, "INVALID_REF_PRICE", "ref_price invalid", FINAL, 400),
    CodeInfo(230, "INVALID_REF_PRICE_TYPE", "ref_price_type invalid", FINAL, 400),
    CodeInfo(308, "INVALID_PRICE", "price invalid or not a multiple of the tick", FINAL, 400),
    CodeInfo(314, "EXCEEDS_MAX_ORDER_SIZE", "order too large", FINAL, 400),
    CodeInfo(315, "FAR_AWAY_LIMIT_PRICE", "limit price too far from the market", FINAL, 400),
    CodeInfo(318, "EXCEEDS_MAX_ALLOWED_ORDERS", "open-order limit reached", WAIT, 400),
    CodeInfo(319, "EXCEEDS_MAX_POSITION_SIZE", "position limit reached", FINAL, 400),
    CodeInfo(401, "ACCOUNT_DOES_NOT_EXIST", "account unknown", FINAL, 400),
    CodeInfo(408, "MARGIN_UNIT_IS_SUSPENDED", "margin unit suspended", FINAL, 400),
    CodeInfo(30024, "MAX_AMOUNT_VIOLATED", "withdrawal above max_withdrawal_balance", FINAL, 400),
    CodeInfo(40001, "BAD_REQUEST", "malformed request", FINAL, 400),
    CodeInfo(40002, "METHOD_NOT_FOUND", "unknown method", FINAL, 400),
    CodeInfo(40003, "INVALID_REQUEST", "invalid request or parameter type", FINAL, 400),
    CodeInfo(40004, "MISSING_OR_INVALID_ARGUMENT", "missing or invalid argument", FINAL, 400),
    CodeInfo(40005, "INVALID_DATE", "date invalid", FINAL, 400),
    CodeInfo(40006, "DUPLICATE_REQUEST", "duplicate request", RECONCILE, 400),
    CodeInfo(40102, "INVALID_NONCE", "nonce off by more than 60 s", AUTH, 400),
    CodeInfo(40107, "EXCEED_MAX_SUBSCRIPTIONS", "too many subscriptions on the session", RATE, 400),
    CodeInfo(50001, "ERR_INTERNAL", "internal error", RECONCILE, 400),
    CodeInfo(
        50002,
        "DW_CREDIT_LINE_NOT_MAINTAINED",
        "withdrawal breaches the credit line, or price invalid on an advanced order",
        FINAL,
        400,
    ),
    CodeInfo(40101, "UNAUTHORIZED", "invalid key, signature or parameter type", AUTH, 401),
    CodeInfo(40103, "IP_ILLEGAL", "IP address not on the key's allow-list", AUTH, 401),
    CodeInfo(40104, "USER_TIER_INVALID", "user tier not allowed", AUTH, 401),
    CodeInfo(40801, "REQUEST_TIMEOUT", "timed out inside the exchange", RECONCILE, 408),
    CodeInfo(42901, "TOO_MANY_REQUESTS", "rate limit", RATE, 429),
    CodeInfo(201, "NO_POSITION", "no position", FINAL, 500),
    CodeInfo(203, "ACCOUNTS_DO_NOT_MATCH", "accounts do not match", FINAL, 500),
    CodeInfo(205, "DUPLICATE_ORDERID", "order id duplicate", RECONCILE, 500),
    CodeInfo(206, "INSTRUMENT_EXPIRED", "instrument expired", FINAL, 500),
    CodeInfo(210, "INVALID_ACCOUNT", "account invalid", FINAL, 500),
    CodeInfo(211, "INVALID_CURRENCY", "currency invalid", FINAL, 500),
    CodeInfo(212, "INVALID_ORDERID", "order id invalid, or the order is finished", RECONCILE, 500),
    CodeInfo(214, "INVALID_SETTLE_CURRENCY", "settlement currency invalid", FINAL, 500),
    CodeInfo(215, "INVALID_FEE_CURRENCY", "fee currency invalid", FINAL, 500),
    CodeInfo(216, "INVALID_POSITION_QTY", "position quantity invalid", FINAL, 500),
    CodeInfo(217, "INVALID_OPEN_QTY", "open quantity invalid", FINAL, 500),
    CodeInfo(219, "INVALID_EXECINST", "exec_inst invalid", FINAL, 500),
    CodeInfo(301, "ACCOUNT_IS_IN_MARGIN_CALL", "account in margin call", FINAL, 500),
    CodeInfo(302, "EXCEEDS_ACCOUNT_RISK_LIMIT", "account risk limit", FINAL, 500),
    CodeInfo(303, "EXCEEDS_POSITION_RISK_LIMIT", "position risk limit", FINAL, 500),
    CodeInfo(304, "ORDER_WILL_LEAD_TO_IMMEDIATE_LIQUIDATION", "would be liquidated immediately", FINAL, 500),
    CodeInfo(305, "ORDER_WILL_TRIGGER_MARGIN_CALL", "would cause a margin call", FINAL, 500),
    CodeInfo(306, "INSUFFICIENT_AVAILABLE_BALANCE", "not enough available balance", FINAL, 500),
    CodeInfo(307, "INVALID_ORDSTATUS", "order status does not allow this", FINAL, 500),
    CodeInfo(309, "MARKET_IS_NOT_OPEN", "market not open", WAIT, 500),
    CodeInfo(310, "ORDER_PRICE_BEYOND_LIQUIDATION_PRICE", "price past the liquidation price", FINAL, 500),
    CodeInfo(311, "POSITION_IS_IN_LIQUIDATION", "position in liquidation", FINAL, 500),
    CodeInfo(312, "ORDER_PRICE_GREATER_THAN_LIMITUPPRICE", "above the limit-up price", FINAL, 500),
    CodeInfo(313, "ORDER_PRICE_LESS_THAN_LIMITDOWNPRICE", "below the limit-down price", FINAL, 500),
    CodeInfo(316, "NO_ACTIVE_ORDER", "order no longer active", RECONCILE, 500),
    CodeInfo(317, "POSITION_NO_EXIST", "position unknown", FINAL, 500),
    CodeInfo(320, "EXCEEDS_INITIAL_MARGIN", "initial margin exceeded", FINAL, 500),
    CodeInfo(321, "EXCEEDS_MAX_AVAILABLE_BALANCE", "available balance exceeded", FINAL, 500),
    CodeInfo(406, "ACCOUNT_IS_NOT_ACTIVE", "account inactive", FINAL, 500),
    CodeInfo(407, "MARGIN_UNIT_DOES_NOT_EXIST", "margin unit unknown", FINAL, 500),
    CodeInfo(409, "INVALID_USER", "user invalid", FINAL, 500),
    CodeInfo(410, "USER_IS_NOT_ACTIVE", "user inactive", FINAL, 500),
    CodeInfo(411, "USER_NO_DERIV_ACCESS", "user has no derivatives access", FINAL, 500),
    CodeInfo(412, "ACCOUNT_NO_DERIV_ACCESS", "account has no derivatives access", FINAL, 500),
    CodeInfo(415, "BELOW_MIN_ORDER_SIZE", "below minimum order size", FINAL, 500),
    CodeInfo(501, "EXCEED_MAXIMUM_EFFECTIVE_LEVERAGE", "effective leverage above maximum", FINAL, 500),
    CodeInfo(604, "INVALID_COLLATERAL_PRICE", "collateral price invalid", FINAL, 500),
    CodeInfo(605, "INVALID_MARGIN_CALC", "margin calculation invalid", FINAL, 500),
    CodeInfo(606, "EXCEED_ALLOWED_SLIPPAGE", "slippage above the limit", FINAL, 500),
    CodeInfo(613, "INVALID_ISOLATION_ID", "isolation_id invalid", FINAL, 500),
    CodeInfo(614, "EXCEEDS_ISOLATED_POSITION_LIMIT", "too many isolated positions", FINAL, 500),
    CodeInfo(
        615,
        "ACCOUNT_DOES_NOT_SUPPORT_ISOLATED_POSITION",
        "account cannot hold isolated positions",
        FINAL,
        500,
    ),
    CodeInfo(616, "CREATE_ISOLATED_POSITION_FAILED", "isolated position not created", FINAL, 500),
    CodeInfo(
        617,
        "DUPLICATED_INSTRUMENT_ORDER_FOR_ISOLATED_MARGIN",
        "instrument already has an isolated position",
        FINAL,
        500,
    ),
    CodeInfo(
        618,
        "TOO_MANY_PENDING_ISOLATED_MARGIN_REQUESTS",
        "too many pending isolated-margin requests",
        RATE,
        500,
    ),
    CodeInfo(
        619,
        "UNSUPPORTED_OPERATION_ON_ISOLATED_POSITION",
        "not supported on isolated positions",
        FINAL,
        500,
    ),
    CodeInfo(
        620,
        "CREATE_ISOLATED_POSITION_TIMEOUT",
        "creation of isolated position timed out",
        RECONCILE,
        500,
    ),
    CodeInfo(1110, "REDUCE_ONLY_REJECTED", "reduce-only rejected", FINAL, 400),
    CodeInfo(43003, "FILL_OR_KILL", "fill-or-kill order could not be filled", END, 500),
    CodeInfo(43004, "IMMEDIATE_OR_CANCEL", "immediate-or-cancel order could not be filled", END, 500),
    CodeInfo(43005, "POST_ONLY_REJ", "post-only order would have executed immediately", END, 500),
    CodeInfo(120009, "REJECTED", "rejected by an internal service of the exchange", RECONCILE, 500),
    CodeInfo(130008, "NON_APPLICABLE", "not applicable in the current state", RECONCILE, 500),
)

# The codes of the older API generations (10002-10009, 20001-20007, 30003-30025, 40007) have no known
# meaning here and are treated as unknown codes.
UNOFFICIAL = (
    CodeInfo(325, "EXCEED_DAILY_VOL_LIMIT", "24-hour volume limit of the token reached", WAIT, None),
    CodeInfo(416, "USER_NO_MARGIN_ACCESS", "user has no margin access", FINAL, 400),
    CodeInfo(623, "INSTRUMENT_MUST_USE_ISOLATED_MARGIN", "isolated margin required", FINAL, None),
    CodeInfo(10001, "SYS_ERROR", "system error, or not available to sub-accounts", FINAL, None),
    CodeInfo(10004, "BAD_REQUEST", "request without params", FINAL, None),
    CodeInfo(50007, "INVALID_TRIGGER_PRICE", "ref_price on the wrong side of the market", FINAL, None),
    CodeInfo(50010, "INVALID_ORDER_PARAMETERS", "incompatible order parameters", FINAL, None),
    CodeInfo(140001, "API_DISABLED", "this method no longer accepts such orders", FINAL, 400),
    CodeInfo(
        5000811, "WITHDRAW_ADDRESS_NOT_IN_WHITE_LIST", "withdrawal address not on the allow-list", FINAL, 400
    ),
    CodeInfo(9010001, "SYSTEM_MAINTENANCE", "exchange under maintenance", RECONCILE, None),
)

CODES = {info.code: info for info in OFFICIAL + UNOFFICIAL}

# Sent in place of a number, with HTTP 401 (dossier 3.1).
TEXT_CODES = {"USER_NOT_FOUND": AUTH}

# 10001 is FINAL only as an answer to reads of a sub-account; it also stood above a list of orders some
# of which had been created (dossier 5.32), so after a write nothing is known.
UNCERTAIN_ON_WRITE = frozenset({10001})


# The key, its rights or its allow-list: a person has to act. A wrong clock (40102) is reported on its own.
KEY_CODES = frozenset(code for code, info in CODES.items() if info.action is AUTH) - {40102}

# Refusals that speak of an instrument's grid, limits or state: what we know of it may be out of date.
ABOUT_INSTRUMENT = frozenset(
    {206, 208, 209, 213, 228, 229, 308, 309, 312, 313, 314, 315, 415, 50002, 50007, 50010}
)


def action_of(code: int, *, has_ids: bool = False, write: bool = True) -> ActionClass:
    """The action class of a code in the answer to a write or a read.

    After a write, any failure with order ids is RECONCILE (dossier 3), and so is a code we do not know.
    An unknown code on a read is FINAL: nothing happened, and repeating would not help.
    """
    info = CODES.get(code)
    if info is not None and info.action is OK:
        return OK
    if write and (has_ids or info is None or code in UNCERTAIN_ON_WRITE):
        return RECONCILE
    return info.action if info else FINAL
