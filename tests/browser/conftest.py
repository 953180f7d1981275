"""A browser where there is one, and a desk that runs for all tests of this folder."""

import contextlib
import os
import shutil
import time
from functools import partial

import pytest

from portfolio.security.sudo import SUDO_DURATION
from tests.browser.desk import USER, RunningDesk
from tests.browser.looks import PageMonitor

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
]
LOGIN_SECONDS = SUDO_DURATION.total_seconds() / 2


@pytest.hookimpl(tryfirst=True)  # xdist reads the group in the same hook
def pytest_collection_modifyitems(config, items):
    """All in one process, for they share a desk; not on PostgreSQL, where the pages are the same."""
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
def fresh_login(desk, chromium):
    """`fresh_login()`: the cookies of a user whose password the desk will not ask for again during a test."""
    logins = []

    def cookies():
        if not logins or time.monotonic() - logins[-1][0] > LOGIN_SECONDS:
            logins.append((time.monotonic(), log_in(desk, chromium)))
        return logins[-1][1]

    return cookies


@pytest.fixture
def signed_in(fresh_login):
    return fresh_login()


def log_in(desk, chromium):
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


@contextlib.contextmanager
def windows(desk, chromium):
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


@pytest.fixture
def open_page(desk, chromium):
    """`open_page("/orders/", width=390)`: a page in a window of its own, watched for troubles."""
    with windows(desk, chromium) as opened:
        yield opened


@pytest.fixture(scope="module")
def open_shared_page(desk, chromium):
    """Like `open_page`, for a page that several tests look at and none changes."""
    return partial(windows, desk, chromium)
