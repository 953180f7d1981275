"""The stored reason codes of a group, with their parameters (pure).

The texts are in `oco.presentation.reasons`. `side` is the side of the group's orders. A code never changes
its meaning.
"""

from enum import StrEnum


class ReasonCode(StrEnum):
    # requests of users
    REQUESTED = "REQUESTED"  # name
    RELEASE_REQUESTED = "RELEASE_REQUESTED"  # side, name
    PRICES_CHANGED = "PRICES_CHANGED"  # name, stop, target
    PRICES_CHANGED_STOP_ONLY = "PRICES_CHANGED_STOP_ONLY"  # name, stop
    RELEASED_BY = "RELEASED_BY"  # name
    # observed and sent
    ENTRY_FILLED = "ENTRY_FILLED"  # side, quantity, coin, price
    FROM_STREAM = "FROM_STREAM"
    STREAM_CONFIRMED = "STREAM_CONFIRMED"
    STREAM_NOT_CONFIRMED = "STREAM_NOT_CONFIRMED"
    TRADE_CORRECTED = "TRADE_CORRECTED"  # before, after, coin
    TRADE_REPRICED = "TRADE_REPRICED"
    RESTS_JOINED = "RESTS_JOINED"  # quantity, coin
    RESTS_TOGETHER = "RESTS_TOGETHER"  # side, quantity, coin, price
    PLACING_PAIR = "PLACING_PAIR"  # stop, target, quantity
    PLACING_STOP = "PLACING_STOP"  # stop, quantity
    PLACING_EXIT = "PLACING_EXIT"  # side, quantity
    CANCEL_SENT = "CANCEL_SENT"
    NOT_CONFIRMED_OPEN = "NOT_CONFIRMED_OPEN"
    CONFIRMED_OPEN = "CONFIRMED_OPEN"
    STOP_CONFIRMED_OPEN = "STOP_CONFIRMED_OPEN"
    LEFT_ACCOUNT = "LEFT_ACCOUNT"  # side, quantity, coin, owned
    # nothing is placed, or something else
    WAITING_FOR_CYCLE = "WAITING_FOR_CYCLE"
    NO_ORDER = "NO_ORDER"  # side
    NO_TARGET = "NO_TARGET"
    PAIR_REFUSED_STOP_ONLY = "PAIR_REFUSED_STOP_ONLY"
    STOP_LOST_RESENT = "STOP_LOST_RESENT"
    RETRY_NEXT_CYCLE = "RETRY_NEXT_CYCLE"
    NO_PRICE = "NO_PRICE"
    DATA_MISSING_NO_CANCEL = "DATA_MISSING_NO_CANCEL"
    DATA_MISSING_NO_ORDER = "DATA_MISSING_NO_ORDER"
    BALANCE_SHORT = "BALANCE_SHORT"  # side
    WORTH_TOO_LITTLE_AT_STOP = "WORTH_TOO_LITTLE_AT_STOP"  # quantity
    WORTH_TOO_LITTLE_NOW = "WORTH_TOO_LITTLE_NOW"
    BELOW_MINIMUM = "BELOW_MINIMUM"  # quantity, price
    REST_RESERVED = "REST_RESERVED"  # side, quantity
    QUANTITY_TOO_SMALL = "QUANTITY_TOO_SMALL"  # side, quantity
    STOP_TOO_CLOSE = "STOP_TOO_CLOSE"  # stop, distance, mark
    TARGET_TOO_HIGH = "TARGET_TOO_HIGH"  # target, mark
    TARGET_TOO_LOW = "TARGET_TOO_LOW"  # target, mark
    TARGET_PASSED = "TARGET_PASSED"  # side, target, placed
    ABOVE_PRICE_LIMIT = "ABOVE_PRICE_LIMIT"  # price
    HELD_BEFORE_START = "HELD_BEFORE_START"
    ORIGIN_UNKNOWN = "ORIGIN_UNKNOWN"
    RESERVED_BY_ORDER = "RESERVED_BY_ORDER"
    TOO_SMALL_ALONE = "TOO_SMALL_ALONE"  # quantity, coin, value
    BELOW_POLICY_MINIMUM = "BELOW_POLICY_MINIMUM"  # quantity, coin, value
    PART_WITHOUT_STOP = "PART_WITHOUT_STOP"
    PERPETUAL = "PERPETUAL"
    # the mark price is past the stop
    MARK_AT_STOP = "MARK_AT_STOP"  # side, mark, stop
    STOP_WITHIN_SPREAD = "STOP_WITHIN_SPREAD"  # side, stop, price, clearance
    STOP_CROSSED = "STOP_CROSSED"
    STOP_CROSSED_BY_POLICY = "STOP_CROSSED_BY_POLICY"  # side
    STOP_CROSSED_TOO_LONG = "STOP_CROSSED_TOO_LONG"  # side
    STOP_CROSSED_UNCERTAIN = "STOP_CROSSED_UNCERTAIN"  # side
    ENTRY_NOT_CONFIRMED = "ENTRY_NOT_CONFIRMED"  # side
    STOP_CROSSED_CONFIRMED = "STOP_CROSSED_CONFIRMED"  # side
    # changes of open orders
    MOVED_ON_EXCHANGE = "MOVED_ON_EXCHANGE"  # role, before, after
    TARGET_PARTLY_FILLED = "TARGET_PARTLY_FILLED"  # side, filled, quantity
    TARGET_STAYS_ACTIVE = "TARGET_STAYS_ACTIVE"
    REST_TOO_SMALL_FOR_STOP = "REST_TOO_SMALL_FOR_STOP"
    CANCELLING_TARGET = "CANCELLING_TARGET"
    COVER_DIFFERS = "COVER_DIFFERS"  # side, covered, quantity
    COVER_DIFFERS_REPLACING = "COVER_DIFFERS_REPLACING"  # side, covered, quantity
    TARGET_CANCELLED = "TARGET_CANCELLED"
    TARGET_CANCELLED_REPLACING = "TARGET_CANCELLED_REPLACING"
    PAIR_POSSIBLE = "PAIR_POSSIBLE"
    PAIR_POSSIBLE_REPLACING = "PAIR_POSSIBLE_REPLACING"
    STOP_STILL_OPEN = "STOP_STILL_OPEN"
    STOP_GONE = "STOP_GONE"
    STOP_GONE_REPLACING = "STOP_GONE_REPLACING"
    ORDERS_CANCELLED = "ORDERS_CANCELLED"
    ORDER_UNKNOWN = "ORDER_UNKNOWN"  # role
    PAIR_UNKNOWN = "PAIR_UNKNOWN"
    ORDERS_UNKNOWN = "ORDERS_UNKNOWN"
    ORDER_OF_CLOSED_GROUP = "ORDER_OF_CLOSED_GROUP"
    EARLIER_ORDER_FOUND = "EARLIER_ORDER_FOUND"
    GROUP_ERROR = "GROUP_ERROR"  # error
    # the end
    STOP_FILLING = "STOP_FILLING"  # side
    STOP_PARTLY_FILLED = "STOP_PARTLY_FILLED"  # side, filled, quantity, status
    EXIT_NOT_FINISHED = "EXIT_NOT_FINISHED"  # side
    CLOSED_BY_STOP = "CLOSED_BY_STOP"  # side
    CLOSED_BY_TARGET = "CLOSED_BY_TARGET"  # side
    CLOSED_BY_EXIT = "CLOSED_BY_EXIT"  # side
    CLOSED_OUTSIDE = "CLOSED_OUTSIDE"  # side
    CLOSED_CANCELLING = "CLOSED_CANCELLING"  # side
    CLOSED_WITHOUT_EVIDENCE = "CLOSED_WITHOUT_EVIDENCE"
    COINS_RETURNED = "COINS_RETURNED"  # side, quantity, coin
    REMAINDER = "REMAINDER"  # quantity
    CANCELLED_MANUALLY = "CANCELLED_MANUALLY"
    MERGED = "MERGED"


class Violation(StrEnum):
    """An invariant that does not hold (`oco.engine.invariants`)."""

    SEVERAL_GROUPS = "SEVERAL_GROUPS"  # lot, count
    DOUBLE_ORDER = "DOUBLE_ORDER"  # lot
    UNRECORDED_ORDER = "UNRECORDED_ORDER"  # order
    DIFFERENT_END = "DIFFERENT_END"  # order, here, there
    ENDED_UNKNOWN = "ENDED_UNKNOWN"  # group, order
    DIFFERENT_EXECUTION = "DIFFERENT_EXECUTION"  # lot, counted, reported
    ORDER_LEFT = "ORDER_LEFT"  # order
    OVERSOLD = "OVERSOLD"  # lot, most, bought
    OVERSOLD_ACCOUNT = "OVERSOLD_ACCOUNT"  # resting, currency, held
    STOP_TOO_SMALL = "STOP_TOO_SMALL"  # group, live, owned


class PolicyChange(StrEnum):
    """What a user did to a policy. `changes`: new values by the English label of the field."""

    POLICY_CHANGED = "POLICY_CHANGED"  # instrument, side, changes
    POLICY_SAVED = "POLICY_SAVED"  # instrument, side
    POLICY_REMOVED = "POLICY_REMOVED"  # instrument, side
