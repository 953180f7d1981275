"""An open page follows the account by itself, and leaves alone what somebody is using."""

import pytest

from tests.programs import wait_until

NEWS = "document.dispatchEvent(new Event('visibilitychange'))"  # asks at once instead of within a second

KEEP_WHAT_IS_SAID = """
    const say = document.getElementById("say");
    window.said = [say.textContent];
    new MutationObserver(() => window.said.push(say.textContent)).observe(say, { childList: true, subtree: true });
"""


@pytest.fixture
def home(open_page, signed_in):
    page = open_page("/", storage_state=signed_in)
    page.evaluate("window.kept = true")
    return page


def buy(desk):
    """A limit order far below the market, so that it rests; its id."""
    answer = desk.order(instrument_name="BTC_USD", side="BUY", type="LIMIT", price="20000", quantity="0.001")
    desk.sync()
    return answer["result"]["order_id"]


def row(page, order_id):
    return page.locator(f"#open-orders [data-order-id='{order_id}']")


def test_an_order_appears_without_loading_the_page_again(desk, home):
    order_id = buy(desk)
    home.evaluate("window.scrollTo(0, 300)")
    home.evaluate(NEWS)
    row(home, order_id).wait_for()
    assert home.evaluate("window.kept")
    assert (
        home.evaluate("window.scrollY") >= 300
    )  # more, when something above it grew: what is looked at stays
    assert home.monitor.problems == []


def test_a_fill_gets_its_pair_before_the_eyes(desk, home):
    known = {group["oco_group_id"] for group in desk.state()["oco_groups"]}
    desk.order(instrument_name="SOL_USD", side="BUY", type="MARKET", quantity="1")
    desk.sync()
    (new,) = [group for group in desk.state()["oco_groups"] if group["oco_group_id"] not in known]
    assert new["state"] == "ACTIVE"
    home.evaluate(NEWS)
    home.locator(f"a[href*='{new['oco_group_id']}']").first.wait_for()
    assert home.evaluate("window.kept")


COUNT_POLLS = """
    window.asked = window.answered = 0;
    document.addEventListener("htmx:beforeRequest", () => window.asked++);
    document.addEventListener("htmx:afterRequest", () => window.answered++);
"""


def test_a_fill_gets_its_pair_before_the_eyes_while_the_stream_is_live(desk, home):
    """No cycle is asked for and no page loaded: the stream brings the fill, and the next poll the group."""
    wait_until(lambda: desk.state()["sync"]["stream"]["status"] == "live")
    known = {group["oco_group_id"] for group in desk.state()["oco_groups"]}
    desk.order(instrument_name="XRP_USD", side="BUY", type="MARKET", notional="300")

    def new_groups():
        groups = desk.state()["oco_groups"]
        return [one for one in groups if one["oco_group_id"] not in known and one["state"] == "ACTIVE"]

    wait_until(new_groups)
    (new,) = new_groups()
    home.evaluate(COUNT_POLLS)
    home.locator(f"a[href*='{new['oco_group_id']}']").first.wait_for()
    assert home.evaluate("window.asked") <= 3  # the one that brought it, and any while it was drawn
    assert home.evaluate("window.kept")


def test_a_page_that_is_looked_at_asks_every_second_and_a_hidden_one_every_minute(open_page, signed_in):
    page = open_page("/about/", storage_state=signed_in)
    page.clock.install()
    page.reload()
    page.evaluate(COUNT_POLLS)
    for expected in range(1, 6):
        page.clock.run_for(1000)
        wait_until(lambda: page.evaluate("window.answered") == expected)  # noqa: B023
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    page.evaluate(NEWS)
    page.clock.run_for(59_000)
    assert page.evaluate("window.asked") == 5
    page.clock.run_for(1000)
    wait_until(lambda: page.evaluate("window.answered") == 6)


def test_a_slow_desk_is_asked_once(home):
    asked = []
    home.route("**/*", lambda route: asked.append(route))  # no answer
    wait_until(lambda: home.evaluate("true") and asked)
    home.wait_for_timeout(3000)
    assert len(asked) == 1


def test_a_panel_with_the_focus_waits_until_it_is_left(desk, home):
    home.locator("#live-open a").first.focus()
    order_id = buy(desk)
    with home.expect_response(lambda answer: answer.status == 200):
        home.evaluate(NEWS)
    home.wait_for_timeout(200)
    assert row(home, order_id).count() == 0
    home.evaluate("document.activeElement.blur()")
    home.evaluate(NEWS)
    row(home, order_id).wait_for()


def test_what_is_left_in_use_is_not_shown_for_ever(desk, home):
    """A link that kept the focus must not keep yesterday's state on the screen, nor lose the focus to the news."""
    home.locator("#live-open a").first.focus()
    address = home.evaluate("document.activeElement.getAttribute('href')")
    order_id = buy(desk)
    with home.expect_response(lambda answer: answer.status == 200):
        home.evaluate(NEWS)
    home.wait_for_timeout(200)
    assert row(home, order_id).count() == 0
    home.evaluate("const now = Date.now; Date.now = () => now.call(Date) + 61_000")
    home.evaluate(NEWS)
    row(home, order_id).wait_for()
    assert home.evaluate("document.activeElement.getAttribute('href')") == address


def test_a_paused_page_says_that_something_waits(desk, home):
    home.get_by_role("button", name="Pause updates").click()
    order_id = buy(desk)
    with home.expect_response(lambda answer: answer.status == 204):
        home.evaluate(NEWS)
    home.get_by_text("new data available").wait_for()
    assert row(home, order_id).count() == 0
    home.get_by_role("button", name="Resume updates").click()
    row(home, order_id).wait_for()


def test_a_page_that_nobody_answers_any_more_calls_itself_old(home):
    """The desk is gone, or the login: what was protected then is not said to be so now."""
    home.route("**/*", lambda route: route.abort())
    assert not home.get_by_text("Old data").first.is_visible()
    home.evaluate("const now = Date.now; Date.now = () => now.call(Date) + 91_000")
    home.locator(".fresh .lost").wait_for(state="visible")
    assert not home.get_by_text("Up to date", exact=True).is_visible()


def test_the_ear_hears_what_the_eye_sees(desk, home):
    home.evaluate(
        KEEP_WHAT_IS_SAID
    )  # the account trades by itself as well, and the last text replaces the others
    desk.order(instrument_name="ETH_USD", side="BUY", type="MARKET", notional="500")
    desk.sync()
    home.evaluate(NEWS)
    wait_until(lambda: home.evaluate("window.said.some((text) => text.includes('ETH/USD'))"))


def test_the_theme_changes_at_once_and_stays(open_page):
    page = open_page("/about/")
    page.locator(".tools summary").click()
    with page.expect_response("**/display/"):
        page.get_by_label("Dark").check()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.reload()
    assert "theme-dark" in page.locator("html").get_attribute("class")


def test_without_a_script_the_display_is_chosen_all_the_same(open_page):
    page = open_page("/", java_script_enabled=False)
    assert not page.locator("#pause").is_visible()
    page.locator(".tools summary").click()
    page.get_by_label("Blue and orange").check()
    page.get_by_role("button", name="Apply").click()
    assert "palette-blue" in page.locator("html").get_attribute("class")
    page.get_by_role("button", name="Hide amounts").click()
    assert "•••" in page.locator("#figures").inner_text()
    page.locator(".tools summary").click()
    page.get_by_role("button", name="Español").click()
    assert page.locator("html").get_attribute("lang") == "es"


def test_nothing_but_the_frame_is_over_the_content_of_a_focused_element(open_page):
    page = open_page("/", width=390, height=844)
    covered = page.evaluate("""() => [...document.querySelectorAll("main a, main button")].filter((one) => {
        one.focus(); one.scrollIntoView({block: "nearest"});
        const box = one.getBoundingClientRect();
        const seen = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
        return box.width && seen && !one.contains(seen) && !seen.contains(one);
    }).map((one) => one.outerHTML.slice(0, 90))""")
    assert covered == []
