"""What the name of an instrument means (pure)."""


def base_of(instrument_name: str) -> str:
    """`BTC` of `BTC_USD`, `SHIB` of `SHIB_BTC@OEX_HK`; a derivative's name is its own."""
    return instrument_name.split("_", 1)[0]


def is_derivative(instrument_name: str) -> bool:
    """`BTCUSD-PERP` is one: the name of every spot pair joins two currencies by an underscore."""
    return "_" not in instrument_name
