"""Protection in the admin: what is unprotected, what is unknown, and the few things a person may ask for."""

from oco.admin.groups import OcoGroupAdmin
from oco.admin.kill_switch import TradingSwitchAdmin
from oco.admin.lots import LotAdmin, LotTradeAdmin, WatermarkAdmin
from oco.admin.orders import ProtectedOrderAdmin
from oco.admin.policy import PolicyAdmin
from oco.admin.record import OcoEventAdmin, OcoLegAdmin, UsedReviewAdmin

__all__ = [
    "LotAdmin",
    "LotTradeAdmin",
    "OcoEventAdmin",
    "OcoGroupAdmin",
    "OcoLegAdmin",
    "PolicyAdmin",
    "ProtectedOrderAdmin",
    "TradingSwitchAdmin",
    "UsedReviewAdmin",
    "WatermarkAdmin",
]
