"""A browser where there is one, and a desk that runs for all tests of this folder."""

import os
import shutil

import pytest

from tests.browser.desk import USER, RunningDesk
from tests.browser.looks import PageMonitor

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
]


def pytest_collection_modifyitems(config, items):
    """On PostgreSQL they would look at the same pages again."""
    here = [item for item in items if "/browser/" in str(item.path)]
    reason = "" if CHROMIUM else "no Chromium is installed here"
    if os.environ.get("TEST_DATABASE_URL"):
        reason = "the browser looks at the desk on SQLite"
    for item in here:
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.xdist_group("browser"))
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def desk(tmp_path_factory):
    desk = RunningDesk(tmp_path_factory.mktemp("desk"))
    yield desk
    desk.close()


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in(desk, chromium):
    """The cookies of somebody who has just given the password."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{desk.address}/login/")
    page.locator("[name=username]").fill(USER)
    page.locator("[name=password]").fill(desk.password)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(f"{desk.address}/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def open_page(desk, chromium):
    """`open_page("/orders/", width=390)`: a page in a window of its own, watched for troubles."""
    contexts = []

    def opened(path, *, width=1440, height=900, **values):
        values.setdefault("locale", "en-GB")
        context = chromium.new_context(viewport={"width": width, "height": height}, **values)
        contexts.append(context)
        page = context.new_page()
        page.monitor = PageMonitor(page, desk.address)
        page.goto(desk.address + path)
        return page

    yield opened
    for context in contexts:
        context.close()
