"""What is to be protected, by which orders, and everything that happened to them."""

from oco.event import OcoEvent
from oco.group import OcoGroup
from oco.leg import OcoLeg
from oco.lot import Lot, LotTrade, Watermark
from oco.policy import ProtectionPolicy
from oco.review import UsedReview

__all__ = ["Lot", "LotTrade", "OcoEvent", "OcoGroup", "OcoLeg", "ProtectionPolicy", "UsedReview", "Watermark"]
