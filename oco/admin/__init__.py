"""Protection in the admin: what is unprotected, what is unknown, and the few things a person may ask for."""

from oco.admin.groups import OcoEventAdmin, OcoGroupAdmin, OcoLegAdmin, ProtectedOrderAdmin, UsedReviewAdmin
from oco.admin.kill_switch import TradingSwitchAdmin
from oco.admin.policies import LotAdmin, LotTradeAdmin, PolicyAdmin, WatermarkAdmin

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
