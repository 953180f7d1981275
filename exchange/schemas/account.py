"""What the account holds and what it costs: balances, identity, fees, positions (dossier 5.6 to 5.10)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from exchange.schemas import parsing
from exchange.schemas.parsing import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionBalance:
    """One token. Open USD orders show in `max_withdrawal_balance`, not in `reserved_qty` (dossier 5.6)."""

    instrument_name: str
    quantity: Decimal
    reserved_qty: Decimal | None
    market_value: Decimal | None
    max_withdrawal_balance: Decimal | None
    collateral_amount: Decimal | None
    haircut: Decimal | None
    collateral_eligible: bool | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            instrument_name=parsing.required_text(row, "instrument_name"),
            quantity=parsing.required_number(row, "quantity"),
            reserved_qty=parsing.number(row, "reserved_qty"),
            market_value=parsing.number(row, "market_value"),
            max_withdrawal_balance=parsing.number(row, "max_withdrawal_balance"),
            collateral_amount=parsing.number(row, "collateral_amount"),
            haircut=parsing.number(row, "haircut"),
            collateral_eligible=parsing.boolean(row, "collateral_eligible"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBalance:
    """The account in US dollars and token by token; it lags behind fills and cancels (dossier 5.6)."""

    total_cash_balance: Decimal | None
    total_available_balance: Decimal | None
    total_margin_balance: Decimal | None
    total_collateral_value: Decimal | None
    total_position_im: Decimal | None
    total_position_cost: Decimal | None
    has_isolated: bool
    positions: tuple[PositionBalance, ...]

    @classmethod
    def from_row(cls, row: Row) -> Self:
        if "position_balances" not in row:
            raise ValueError("field position_balances is missing")
        return cls(
            total_cash_balance=parsing.number(row, "total_cash_balance"),
            total_available_balance=parsing.number(row, "total_available_balance"),
            total_margin_balance=parsing.number(row, "total_margin_balance"),
            total_collateral_value=parsing.number(row, "total_collateral_value"),
            total_position_im=parsing.number(row, "total_position_im"),
            total_position_cost=parsing.number(row, "total_position_cost"),
            has_isolated=bool(
                row.get("isolated_positions") or parsing.number(row, "total_isolated_cash_balance")
            ),
            positions=tuple(map(PositionBalance.from_row, parsing.rows(row, "position_balances"))),
        )

    @property
    def may_hold_derivatives(self) -> bool:
        """Whether margin is tied up for any; an answer that leaves the figures out may hide one. On accounts
        that only ever held coins both were "0" in every recording (dossier 5.6).
        """
        figures = (self.total_position_im, self.total_position_cost)
        return self.has_isolated or any(figure is None or figure != 0 for figure in figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInfo:
    """Whose key this is: the account's id, MASTER or SUB_ACCOUNT, and the master's id (dossier 5.8)."""

    uuid: str
    hierarchy: str
    master_uuid: str

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """From the whole `result`."""
        this = parsing.as_row("this_account", row.get("this_account") or {})
        master = parsing.as_row("master_account", row.get("master_account") or {})
        return cls(
            uuid=parsing.required_text(this, "uuid"),
            hierarchy=parsing.text(this, "hierarchy"),
            master_uuid=parsing.text(master, "uuid"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRate:
    """Fee tiers and rates in basis points; booked fees come from trades, never from here (dossier 5.9)."""

    spot_tier: str
    deriv_tier: str
    spot_maker_bps: Decimal
    spot_taker_bps: Decimal
    deriv_maker_bps: Decimal | None
    deriv_taker_bps: Decimal | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            spot_tier=parsing.text(row, "spot_tier"),
            deriv_tier=parsing.text(row, "deriv_tier"),
            spot_maker_bps=parsing.required_number(row, "effective_spot_maker_rate_bps"),
            spot_taker_bps=parsing.required_number(row, "effective_spot_taker_rate_bps"),
            deriv_maker_bps=parsing.number(row, "effective_deriv_maker_rate_bps"),
            deriv_taker_bps=parsing.number(row, "effective_deriv_taker_rate_bps"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A derivative position; `quantity` is signed (dossier 5.10)."""

    instrument_name: str
    type: str
    quantity: Decimal
    cost: Decimal | None
    open_position_pnl: Decimal | None
    open_pos_cost: Decimal | None
    session_pnl: Decimal | None
    update_time_ms: int
    isolation_id: str
    isolation_type: str

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            instrument_name=parsing.required_text(row, "instrument_name"),
            type=parsing.text(row, "type"),
            quantity=parsing.required_number(row, "quantity"),
            cost=parsing.number(row, "cost"),
            open_position_pnl=parsing.number(row, "open_position_pnl"),
            open_pos_cost=parsing.number(row, "open_pos_cost"),
            session_pnl=parsing.number(row, "session_pnl"),
            update_time_ms=parsing.integer(row, "update_timestamp_ms") or 0,
            isolation_id=parsing.text(row, "isolation_id"),
            isolation_type=parsing.text(row, "isolation_type"),
        )
