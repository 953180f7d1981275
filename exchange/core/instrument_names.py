"""What the name of an instrument means (pure)."""

USD = "USD"
SPOT_PATTERN = r"^[A-Za-z0-9]{1,32}[_/-][A-Za-z0-9]{1,20}(@[A-Za-z0-9_]{1,10})?$"
"""How the name of a spot pair may be written: BTC_USD, btc/usd, SHIB_BTC@OEX_HK."""


def base_of(instrument_name: str) -> str:
    """`BTC` of `BTC_USD`, `SHIB` of `SHIB_BTC@OEX_HK`; a derivative's name is its own."""
    return instrument_name.split("_", 1)[0]


def quote_of(instrument_name: str) -> str:
    """`USDT` of `BTC_USDT`, `BTC` of `SHIB_BTC@OEX_HK`; a derivative is settled in dollars."""
    _, found, rest = instrument_name.partition("_")
    return rest.partition("@")[0] if found else USD


def is_derivative(instrument_name: str) -> bool:
    """`BTCUSD-PERP` is one: the name of every spot pair joins two currencies by an underscore."""
    return "_" not in instrument_name
