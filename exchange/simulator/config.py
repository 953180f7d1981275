"""Answer codes with name and HTTP status (dossier 3), the refusal that carries one, and the behaviour options."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

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

UNLISTED_NAMES: dict[int, str] = {
    325: "EXCEED_DAILY_VOL_LIMIT",
    416: "USER_NO_MARGIN_ACCESS",
    50002: "INVALID_PRICE",
    50007: "INVALID_TRIGGER_PRICE",
    50010: "INVALID_ORDER_PARAMETERS",
    140001: "API_DISABLED",
    9010001: "SYSTEM_MAINTENANCE",
}


def code_name(code: int) -> str:
    """The official name, or the name seen in practice; "UNKNOWN" for other codes."""
    if code in CODES:
        return CODES[code][0]
    return UNLISTED_NAMES.get(code, "UNKNOWN")


class Refusal(Exception):
    """The exchange refuses a call. `result` has the ids where an order was recorded nevertheless (dossier 1.1)."""

    def __init__(self, code: int, message: str = "", result: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code} {message or code_name(code)}")
        self.code = code
        self.message = message or code_name(code)
        self.result = result


End = Literal["CANCELED", "EXPIRED", "REJECTED"]
Delay = Annotated[int, 0, 200, 2000]


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourOptions:
    """What the documentation leaves open or contradicts itself about (dossier 11 and the chapter given).

    Each field lists its plausible values; the default is the most plausible one. Tests run scenarios under every
    value (`CHOICES`). Field names are keys of the saved state and must not change.
    """

    # identity of advanced orders and their fills
    old_endpoint_trigger: Literal[140001, 218, 40004] = 140001  # 11.1
    fills_carry: Literal["exchange_order_id", "order_id"] = "exchange_order_id"  # 11.2
    fills_client_oid: Literal["client_oid", "exchange_order_id"] = "client_oid"  # 11.2
    triggered_in_plain: Literal["hidden", "shown"] = "hidden"  # 11.2
    exchange_order_id: Literal["when_live", "never"] = "when_live"  # 6.2, absent in example 5.31
    order_id_ranges: Literal["disjoint", "overlapping"] = "disjoint"  # 5.31
    client_oid_default: Literal["id", "nonce"] = "id"  # D9
    client_oid_unique: Literal["ever", "while_open"] = "ever"  # 11.6
    client_oid_scope: Literal["account", "name_space"] = "account"  # 11.6
    # OCO
    oco_sibling_reason: Literal[0, 130008, 43012] = 0  # 11.3
    oco_race: Literal["none", "sibling_may_fill"] = "none"  # 11.3
    oco_remainder: Literal["works_on", "canceled"] = "works_on"  # 11.5
    oco_leg_cancel: Literal["both", "one"] = "both"  # 5.27
    oco_reserves: Literal["at_placement", "limit_leg_only"] = "at_placement"  # D19
    oco_two_triggers: Literal["refused", "accepted"] = "refused"  # D18
    oco_legs: Literal["must_match", "free"] = "must_match"  # 5.23
    oco_min_distance: Literal["none", "half_percent"] = "none"  # 11.12
    oco_leg_client_oids: Literal["must_differ", "may_repeat"] = "must_differ"  # 11.6
    oco_default_client_oid: Literal["request_id", "order_id"] = "request_id"  # 5.23 against 5.31
    attached_orphans: Literal["canceled", "stay"] = "canceled"  # 6.3: of a first order that was not executed
    # triggers
    trigger_reserves: Literal["at_trigger", "at_placement"] = "at_trigger"  # 11.4
    trigger_without_funds: Literal["CANCELED", "REJECTED"] = "CANCELED"  # 11.4
    trigger_without_funds_reason: Literal[306, 0] = 306  # 11.4
    trigger_on: Literal["touch", "through"] = "touch"  # 11.17
    trigger_wrong_side: Literal["refused", "fires"] = "refused"  # 5.20
    trigger_limit_band: Literal["unchecked", "checked"] = "unchecked"  # 11.12
    trigger_farthest: Literal["any", "twice_mark"] = "any"  # 11.12
    trigger_every_ms: Delay = 0  # 11.17: how often the reference price is checked; 0 is always
    untriggered_status: Literal["PENDING", "ACTIVE", "NEW"] = "PENDING"  # D20
    default_ref_price_type: Literal["MARK_PRICE", "LAST_PRICE"] = "MARK_PRICE"  # D29
    advanced_fee_sign: Literal["negative", "positive"] = "negative"  # D24
    advanced_price_code: Literal[50002, 308] = 50002  # D8
    advanced_amend_price: Literal["required", "optional"] = "required"  # D21
    # an order from placement to its end
    ack_delay_ms: Delay = 0  # 5, 10.19: an order works and can be read this long after the answer
    fresh_order: Literal["unreadable", "PENDING", "NEW"] = "unreadable"  # 6.1, 10.19
    cancel_delay_ms: Delay = 0  # 6.4: accepted is not done
    ioc_end: End = "CANCELED"  # 11.9
    fok_end: End = "CANCELED"  # 11.9
    post_only_end: End = "CANCELED"  # 11.9
    post_only_other_tif: Literal["refused", "accepted"] = "refused"  # D22
    refusal_ids: Literal["with_ids", "without_ids", "later"] = "with_ids"  # 1.1, 11.14
    unknown_order: Literal["40401", "empty"] = "40401"  # 5.17
    cancel_unknown: Literal[316, 40401, 212] = 316  # 5.13
    amend_quantity: Literal["total", "remaining"] = "total"  # 11.13
    plain_amend_of_legs: Literal["refused", "accepted"] = "refused"  # 11.13
    stp_scope_default: Literal["accepted", "refused"] = "accepted"  # D30
    notional_and_quantity: Literal["quantity_wins", "refused"] = "quantity_wins"  # D10
    partial_fills: Annotated[int, 1, 2, 5] = 1  # a resting order fills in at most this many parts
    limits_count: Literal["plain", "all"] = "plain"  # 4: no limit found for trigger orders
    # money
    collar: Literal["best", "mark"] = "best"  # D23
    price_band: Literal["checked", "unchecked"] = "checked"  # 11.12
    largest_order_usd: Annotated[int, 0, 30_000] = 0  # 11.12; 0 is no limit
    reserved_qty: Literal["zero", "amount"] = "zero"  # D28
    sell_reservation: Literal["like_buys", "reserved_qty", "invisible"] = "like_buys"  # 11.16
    cumulative_fee_unit: Literal["default_token", "fee_token"] = "default_token"  # 10.25
    fee_rounding: Literal["exact", "eight_decimals"] = "exact"  # 11.11
    # history
    history_window: Literal["update", "create"] = "update"  # 11.10
    history_widest: Literal["any", "seven_days", "refused"] = "any"  # 11.10
    trades_widest: Literal["seven_days", "any", "refused"] = "seven_days"  # 7
    tie_order: Literal["newest_first", "oldest_first"] = "newest_first"  # 11.10
    advanced_history_days: Annotated[int, 183, 30] = 183  # 11.15
    ns_resolution: Literal["ns", "ms"] = "ns"  # 11.10: with "ms" everything of one millisecond ties
    wallet_history: Literal["readable", "refused"] = "readable"  # additions K11
    # protocol
    missing_params: Literal["taken", "refused"] = (
        "taken"  # 1: 10004, yet a client that omits them is answered
    )
    id_type: Literal["any", "number"] = "any"  # D2
    limit_type: Literal["number", "any"] = "number"  # D1
    reason_type: Literal["number", "string"] = "number"  # D25
    instrument_numbers: Literal["number", "string"] = "number"  # D26
    nested_exec_inst: Literal["joined", "brackets"] = "joined"  # D3
    nonce_rule: Literal["free", "unique", "increasing"] = "free"  # 11.7
    cancel_all_result: Literal["empty", "absent"] = "empty"  # 5.14
    list_failure: Literal["code_0", "code_10001"] = "code_0"  # 5.32
    rate_window: Literal["sliding", "fixed"] = "sliding"  # 11.8
    rate_refused_calls: Literal["free", "counted"] = "free"  # 11.8
    rate_penalty_ms: Delay = 0  # 11.8: after a refusal the method stays closed this long
    rate_private: Literal["3_per_100ms", "10_per_s"] = "3_per_100ms"  # D14, where no own limit is named
    http_40401: Literal[200, 404] = 200  # D5
    http_4300x: Literal[500, 400] = 500  # D6
    http_50001: Literal[500, 400] = 500  # D7
    http_unlisted: Literal[400, 500, 200] = 400  # 11.14
    http_with_ids: Literal["table", "200"] = "table"  # 11.14

    def with_changes(self, changes: dict[str, Any]) -> BehaviourOptions:
        """A copy with some fields changed. Raises ValueError for an unknown field or value."""
        for name, value in changes.items():
            if name not in CHOICES:
                raise ValueError(f"no behaviour option is called {name}")
            if value not in CHOICES[name] and not _is_any_number_allowed(name, value):
                raise ValueError(f"{name} is one of {CHOICES[name]}, not {value!r}")
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}


_HINTS = get_type_hints(BehaviourOptions, include_extras=True)
CHOICES: dict[str, tuple[Any, ...]] = {
    name: get_args(hint) if get_origin(hint) is Literal else get_args(hint)[1:]
    for name, hint in _HINTS.items()
}


def _is_any_number_allowed(name: str, value: Any) -> bool:
    """Fields that are Annotated take any number; their choices are only examples."""
    return get_origin(_HINTS[name]) is Annotated and isinstance(value, int) and value >= 0
