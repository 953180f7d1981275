"""The lengths of bars that the desk keeps (pure)."""

from datetime import datetime, timedelta
from enum import StrEnum

from exchange.core.times import EPOCH


class Timeframe(StrEnum):
    """By its name on the wire (dossier 5.3). Every one begins at a multiple of its length since the epoch."""

    M15 = "15m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1D"

    @property
    def length(self) -> timedelta:
        return LENGTHS[self]

    def begun(self, moment: datetime) -> datetime:
        """When the bar that `moment` lies in began."""
        return moment - (moment - EPOCH) % self.length


LENGTHS = {
    Timeframe.M15: timedelta(minutes=15),
    Timeframe.H1: timedelta(hours=1),
    Timeframe.H4: timedelta(hours=4),
    Timeframe.D1: timedelta(days=1),
}
