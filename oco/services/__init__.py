"""What a person may ask for: protect, price anew, release, switch trading off and on. The worker does it."""

from oco.services.groups import group_cancel, group_create
from oco.services.refusal import NotPossible
from oco.services.repricing import PRICES, group_reprice, prices_alone
from oco.services.review import review_spend
from oco.services.switch import switch_off, switch_on
from oco.services.wishes import SPOT, Standing, free_check, free_of, instrument_of, price_check, wish_check

__all__ = [
    "PRICES",
    "SPOT",
    "NotPossible",
    "Standing",
    "free_check",
    "free_of",
    "group_cancel",
    "group_create",
    "group_reprice",
    "instrument_of",
    "price_check",
    "prices_alone",
    "review_spend",
    "switch_off",
    "switch_on",
    "wish_check",
]
