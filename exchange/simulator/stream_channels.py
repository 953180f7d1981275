"""The channels of both streams: names, first messages, updates, and the rows in them (dossier 9.2, additions A2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from exchange.simulator import serializers, wallet
from exchange.simulator.api_private import position_row
from exchange.simulator.config import Refusal
from exchange.simulator.instruments import trimmed_text, truncate_to_8
from exchange.simulator.models import ADVANCED, PLAIN, NameSpace, Order, Position, Row, Trade
from exchange.simulator.stream_feed import AccountChanges
from exchange.simulator.stream_options import StreamOptions

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

Endpoint = Literal["user", "market"]
ADVANCED_ORDER, OTHER_SPELLING = "user.advance.order", "user.advanced.order"
ORDER_CHANNELS: dict[str, NameSpace] = {
    "user.order": PLAIN,
    ADVANCED_ORDER: ADVANCED,
    OTHER_SPELLING: ADVANCED,
}
OF_INSTRUMENT = {"user": (*ORDER_CHANNELS, "user.trade"), "market": ("ticker", "mark")}
OF_ACCOUNT = (
    "user.balance",
    "user.positions",
    "user.account_risk",
    "user.transactions",
    "user.position_balance",
)
ANSWERED_FIRST = ("user.trade", "user.transactions")  # a first message without data: nothing is repeated
TRANSACTION_LAG_NS = 445_532  # recorded: 1785587305884874648 created, ...5320180 transacted
POSITION_LEVERAGE = 1 / serializers.INITIAL_MARGIN_RATE
HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Channel:
    """One subscription: `user.order.BTC_USD` is the kind `user.order` of the instrument BTC_USD."""

    name: str
    kind: str
    symbol: str | None = None

    @property
    def is_user(self) -> bool:
        return self.kind.startswith("user.")


def parse(exchange: Exchange, options: StreamOptions, endpoint: Endpoint, name: object) -> Channel:
    """Raises Refusal with the recorded texts for a channel that is not there (additions K5)."""
    text = str(name)
    if endpoint == "user" and text in OF_ACCOUNT:
        return Channel(text, text)
    for kind in OF_INSTRUMENT[endpoint]:
        if text == kind and endpoint == "user" and is_spelled_right(options, kind):
            return Channel(text, kind)
        if text.startswith(f"{kind}.") and is_spelled_right(options, kind):
            symbol = text.removeprefix(f"{kind}.")
            if symbol not in exchange.instruments:
                raise Refusal(40003, "Unknown symbol")
            return Channel(text, kind, symbol)
    raise Refusal(40003, "Unrecognized channel")


def is_spelled_right(options: StreamOptions, kind: str) -> bool:
    if kind not in (ADVANCED_ORDER, OTHER_SPELLING):
        return True
    return options.advanced_spelling in ("both", kind)


# The first message of a channel


def first_result(exchange: Exchange, options: StreamOptions, channel: Channel) -> Row | None:
    """What the answer to the subscription brings; None where it is an answer only."""
    if channel.kind in ANSWERED_FIRST:
        return None
    if channel.kind == "user.positions" and options.positions_first == "answer":
        return None
    if channel.symbol is not None and not channel.is_user:
        return regular_result(exchange, options, channel)
    shown = channel.name if options.snapshot_channel == "subscription" else channel.kind
    return {"subscription": channel.name, "channel": shown, "data": first_rows(exchange, options, channel)}


def first_rows(exchange: Exchange, options: StreamOptions, channel: Channel) -> list[Row]:
    if channel.kind in ORDER_CHANNELS:
        name_space = ORDER_CHANNELS[channel.kind]
        return [
            order_row(exchange, order, name_space)
            for order in exchange.stores[name_space].open.values()
            if channel.symbol in (None, order.instrument_name) and serializers.is_readable(exchange, order)
        ]
    return account_rows(exchange, options, channel)


# Updates


def update_results(
    exchange: Exchange, options: StreamOptions, channel: Channel, changes: AccountChanges
) -> list[Row]:
    """The messages that these changes bring on this channel; an order and an execution is one each."""
    if channel.kind in ORDER_CHANNELS:
        name_space = ORDER_CHANNELS[channel.kind]
        return [
            instrument_result(channel, order.instrument_name, order_row(exchange, order, name_space))
            for shown_in, order in changes.orders
            if shown_in == name_space and channel.symbol in (None, order.instrument_name)
        ]
    if channel.kind == "user.trade":
        return [
            instrument_result(channel, trade.instrument_name, trade_row(exchange, trade))
            for trade in changes.trades
            if channel.symbol in (None, trade.instrument_name)
        ]
    if channel.kind == "user.transactions":
        rows = journal_rows(exchange, changes)
    elif channel.kind == "user.positions":
        rows = position_rows(exchange, options) if changes.positions else None
    elif channel.kind == "user.balance" or (channel.kind == "user.position_balance" and changes.moved):
        rows = account_rows(exchange, options, channel)
    else:
        rows = None
    return [] if rows is None else [account_result(exchange, channel, rows)]


def instrument_result(channel: Channel, symbol: str, row: Row) -> Row:
    return {
        "subscription": channel.name,
        "channel": channel.kind,
        "instrument_name": symbol,
        "data": [row],
    }


def account_result(exchange: Exchange, channel: Channel, rows: list[Row]) -> Row:
    """Updates have the account's id, snapshots do not (recorded)."""
    return {
        "account_id": exchange.account_uuid,
        "subscription": channel.name,
        "channel": channel.kind,
        "data": rows,
    }


def regular_result(exchange: Exchange, options: StreamOptions, channel: Channel) -> Row:
    """The messages that repeat by themselves: the account's risk, and market data."""
    if channel.symbol is None:
        return account_result(exchange, channel, account_rows(exchange, options, channel))
    return instrument_result(channel, channel.symbol, market_row(exchange, channel.kind, channel.symbol))


# Rows


def account_rows(exchange: Exchange, options: StreamOptions, channel: Channel) -> list[Row]:
    if channel.kind == "user.balance":
        return [balance_row(exchange)]
    if channel.kind == "user.positions":
        return position_rows(exchange, options)
    if channel.kind == "user.account_risk":
        return [risk_row(exchange, options)]
    return [position_balance_row(exchange)]


def market_row(exchange: Exchange, kind: str, symbol: str) -> Row:
    ms = exchange.at_ms
    if kind == "mark":
        return {"v": trimmed_text(exchange.prices.mark(symbol, ms)), "t": ms // 1000 * 1000}
    book = exchange.prices.book(symbol, ms, 1)
    sizes = {"bs": book["bids"][0][1], "ks": book["asks"][0][1]}
    return exchange.prices.ticker_row(symbol, ms) | sizes


def order_row(exchange: Exchange, order: Order, name_space: NameSpace) -> Row:
    """As REST shows it, with the fee rates always, without the reason, and with one time more (recorded)."""
    row = serializers.order_row(exchange, order, name_space)
    del row["reason"]
    if row.get("ref_price_type") == "NULL_VAL":
        del row["ref_price_type"]
    rates = {"maker_fee_rate": "0", "taker_fee_rate": "0"}
    return rates | row | {"transaction_time_ns": order.update_time_ns + TRANSACTION_LAG_NS}


def trade_row(exchange: Exchange, trade: Trade) -> Row:
    """`transaction_time` is the REST row's `transact_time_ns` (additions A2)."""
    row = serializers.trade_row(exchange, trade)
    return {"transaction_time" if name == "transact_time_ns" else name: value for name, value in row.items()}


def balance_row(exchange: Exchange) -> Row:
    row = serializers.balance_row(exchange)
    del row["terminatable"]
    return row


def journal_rows(exchange: Exchange, changes: AccountChanges) -> list[Row] | None:
    rows = [row for trade in changes.trades for row in wallet.trade_rows(exchange, trade)]
    rows += [
        wallet.journal_row(
            exchange, each.journal_id, each.currency, each.amount, each.time_ns, wallet.kind_of(each)
        )
        for each in changes.transfers
    ]
    return rows or None


def position_rows(exchange: Exchange, options: StreamOptions) -> list[Row]:
    """All open positions, whichever changed (additions A2)."""
    return [stream_position_row(exchange, each, options) for each in exchange.positions.values()]


def stream_position_row(exchange: Exchange, position: Position, options: StreamOptions) -> Row:
    """Cross margin. The price of liquidation is where the initial margin is lost: chosen, not documented."""
    mark = exchange.prices.mark(position.instrument_name, exchange.at_ms)
    value = position.quantity * mark
    margin = truncate_to_8(abs(value) * serializers.INITIAL_MARGIN_RATE)
    rate = serializers.INITIAL_MARGIN_RATE * (1 if position.quantity > 0 else -1)
    row = position_row(exchange, position) | {
        "session_unrealized_pnl": "0",
        "pos_initial_margin": trimmed_text(margin),
        "pos_maintenance_margin": trimmed_text(margin * HALF),
        "market_value": trimmed_text(value),
        "mark_price": trimmed_text(mark),
        "target_leverage": trimmed_text(POSITION_LEVERAGE),
        "leverage": trimmed_text(POSITION_LEVERAGE),
        "liquidation_price": trimmed_text(position.entry_price * (1 - rate)),
        "isolated_margin_balance": "0",
    }
    zero = {"mark_price": "0", "open_position_pnl": "0", "market_value": "0"}
    return row | zero if options.fresh_positions == "zero_mark" else row


def risk_row(exchange: Exchange, options: StreamOptions) -> Row:
    row = balance_row(exchange)
    balances = row.pop("position_balances")
    positions = position_rows(exchange, options)
    return row | {"balances": balances, "positions": positions, "isolated_positions": []}


def position_balance_row(exchange: Exchange) -> Row:
    """The slim form: quantities only."""
    return {
        "balances": [
            {
                "instrument_name": each.currency,
                "quantity": trimmed_text(each.quantity),
                "update_timestamp_ms": exchange.at_ms,
            }
            for each in serializers.holdings(exchange)
        ],
        "positions": [position_row(exchange, each) for each in exchange.positions.values()],
        "isolated_positions": [],
    }
