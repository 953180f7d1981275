"""`python -m tests.screenshots`: take the screenshots of `docs/` from a dry run with some activity."""

import os
import random
import sys
import tempfile
import time
from pathlib import Path

import django
from playwright.sync_api import sync_playwright

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.browser.conftest import CHROMIUM, FLAGS  # noqa: E402
from tests.browser.desk import USER, RunningDesk  # noqa: E402

DOCS = Path(__file__).parent.parent / "docs"
SIZES = {"desktop": (1440, 900), "mobile": (390, 844)}
CYCLES = 24
BUYS = [("BTC_USD", "0.05"), ("ETH_USD", "1.5"), ("SOL_USD", "20")]


def main() -> int:
    if CHROMIUM is None:
        print("Chromium is not installed: no screenshot was taken.")
        return 1
    with tempfile.TemporaryDirectory(prefix="desk") as directory:
        desk = RunningDesk(Path(directory))
        try:
            create_activity(desk)
            take_screenshots(desk)
        finally:
            desk.close()
    return 0


def create_activity(desk: RunningDesk) -> None:
    """A few protected entries, moving prices, and enough cycles to read the order history."""
    rng = random.Random(7)
    for symbol, quantity in BUYS:
        desk.order(instrument_name=symbol, side="BUY", type="MARKET", quantity=quantity)
    for number in range(CYCLES):
        symbol, _ = BUYS[number % len(BUYS)]
        desk.exchange("price", instrument_name=symbol, percent=str(round(rng.uniform(-1, 1.1), 2)))
        desk.sync()
    while desk.state()["summary"]["unrealised_pnl_usd"] is None:
        time.sleep(5)
        desk.sync()


def take_screenshots(desk: RunningDesk) -> None:
    group = next(one for one in desk.state()["oco_groups"] if one["closed_at"] is None)
    pages = {"dashboard": "/", "group": f"/protection/{group['oco_group_id']}/"}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for size, (width, height) in SIZES.items():
            for theme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=theme, locale="en-GB"
                )
                page = context.new_page()
                sign_in(page, desk)
                for name, path in pages.items():
                    page.goto(desk.address + path)
                    page.wait_for_load_state("networkidle")
                    page.screenshot(path=DOCS / f"{name}-{size}-{theme}.png")
                context.close()
        browser.close()


def sign_in(page, desk: RunningDesk) -> None:
    page.goto(f"{desk.address}/login/")
    page.locator("[name=username]").fill(USER)
    page.locator("[name=password]").fill(desk.password)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(f"{desk.address}/")


if __name__ == "__main__":
    sys.exit(main())
