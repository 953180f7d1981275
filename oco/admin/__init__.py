"""Protection in the admin: unprotected and unknown groups, and the few actions a user may take."""

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
