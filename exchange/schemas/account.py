"""What the account holds and what it costs: balances, identity, fees, positions (dossier 5.6 to 5.10)."""

from decimal import Decimal
from typing import Self

from msgspec import field

from exchange.core.reasons import Problem
from exchange.schemas import parsing
from exchange.schemas.parsing import PlainStruct, Row, WireStruct


class PositionBalance(WireStruct, frozen=True, kw_only=True):
    """One token. Open USD orders show in `max_withdrawal_balance`, not in `reserved_qty` (dossier 5.6)."""

    instrument_name: str
    quantity: Decimal
    reserved_qty: Decimal | None = None
    market_value: Decimal | None = None
    max_withdrawal_balance: Decimal | None = None
    collateral_amount: Decimal | None = None
    haircut: Decimal | None = None
    collateral_eligible: bool | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls.parse(row, collateral_eligible=parsing.boolean(row, "collateral_eligible"))


class AccountBalance(WireStruct, frozen=True, kw_only=True):
    """The account in US dollars and token by token; it lags behind fills and cancels (dossier 5.6)."""

    positions: tuple[PositionBalance, ...] = field(name="position_balances")
    total_cash_balance: Decimal | None = None
    total_available_balance: Decimal | None = None
    total_margin_balance: Decimal | None = None
    total_collateral_value: Decimal | None = None
    total_position_im: Decimal | None = None
    total_position_cost: Decimal | None = None
    has_isolated: bool = False

    @classmethod
    def from_row(cls, row: Row) -> Self:
        if "position_balances" not in row:
            raise parsing.bad_field(Problem.MISSING, "position_balances")
        return cls.parse(
            row,
            position_balances=[
                PositionBalance.from_row(token) for token in parsing.rows(row, "position_balances")
            ],
            has_isolated=bool(
                row.get("isolated_positions") or parsing.number(row, "total_isolated_cash_balance")
            ),
        )

    @property
    def may_hold_derivatives(self) -> bool:
        """Whether margin is tied up for any; an answer that leaves the figures out may hide one. On accounts
        that only ever held coins both were "0" in every recording (dossier 5.6).
        """
        figures = (self.total_position_im, self.total_position_cost)
        return self.has_isolated or any(figure is None or figure != 0 for figure in figures)


class AccountInfo(WireStruct, frozen=True, kw_only=True):
    """Whose key this is: the account's id, MASTER or SUB_ACCOUNT, and the master's id (dossier 5.8)."""

    uuid: str
    hierarchy: str = ""
    master_uuid: str = ""

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """From the whole `result`."""
        this = parsing.as_row("this_account", row.get("this_account") or {})
        master = parsing.as_row("master_account", row.get("master_account") or {})
        return cls.parse(this, master_uuid=parsing.text(master, "uuid"))


class FeeRate(PlainStruct, frozen=True, kw_only=True):
    """Fee tiers and rates in basis points; booked fees come from trades, never from here (dossier 5.9)."""

    spot_maker_bps: Decimal = field(name="effective_spot_maker_rate_bps")
    spot_taker_bps: Decimal = field(name="effective_spot_taker_rate_bps")
    deriv_maker_bps: Decimal | None = field(name="effective_deriv_maker_rate_bps", default=None)
    deriv_taker_bps: Decimal | None = field(name="effective_deriv_taker_rate_bps", default=None)
    spot_tier: str = ""
    deriv_tier: str = ""


class Position(PlainStruct, frozen=True, kw_only=True):
    """A derivative position; `quantity` is signed (dossier 5.10)."""

    instrument_name: str
    quantity: Decimal
    type: str = ""
    cost: Decimal | None = None
    open_position_pnl: Decimal | None = None
    open_pos_cost: Decimal | None = None
    session_pnl: Decimal | None = None
    update_time_ms: int = field(name="update_timestamp_ms", default=0)
    isolation_id: str = ""
    isolation_type: str = ""
