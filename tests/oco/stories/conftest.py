"""A desk whose every cycle ends with a look at the invariants."""

import pytest

from tests.oco.support import check, journal


@pytest.fixture
def desk(desk, world, settings):
    settings.AUTO_PROTECT = True
    sync = desk.sync

    def checked(seconds=60):
        run = sync(seconds)
        print(f"── {desk.now:%H:%M:%S}\n{journal()}")
        check(world)
        return run

    desk.unchecked, desk.sync = sync, checked
    return desk


@pytest.fixture
def held(desk, world):
    """The desk knows the account; then 0.01 bitcoin are bought and protected."""
    desk.sync_ok()
    order = world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    desk.sync_ok()
    return order
