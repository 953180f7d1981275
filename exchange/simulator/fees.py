"""What a fill costs, and in which token (dossier 5.9, 5.11.4)."""

from dataclasses import dataclass
from decimal import Decimal

from exchange.simulator.decimals import eight
from exchange.simulator.instruments import Instrument

BPS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Basis points charged on spot fills."""

    maker_bps: Decimal = Decimal("24.25")
    taker_bps: Decimal = Decimal("48.5")

    def ratio(self, *, taker: bool) -> Decimal:
        return ((self.taker_bps if taker else self.maker_bps) * BPS).normalize()


def default_token(instrument: Instrument, side: str) -> str:
    return instrument.base if side == "BUY" else instrument.quote


def allowed_tokens(instrument: Instrument, side: str) -> set[str]:
    tokens = {instrument.quote, "USD", "USDT", "EUR"}
    return tokens | {instrument.base} if side == "BUY" else tokens


def rounded(fee: Decimal, how: str) -> Decimal:
    return eight(fee) if how == "eight_decimals" else fee
