"""What is to be protected, by which orders, and everything that happened to them."""

from oco.models.event import OcoEvent
from oco.models.group import OcoGroup
from oco.models.leg import OcoLeg
from oco.models.lot import Lot, LotTrade, Watermark
from oco.models.policy import ProtectionPolicy
from oco.models.review import UsedReview

__all__ = ["Lot", "LotTrade", "OcoEvent", "OcoGroup", "OcoLeg", "ProtectionPolicy", "UsedReview", "Watermark"]
