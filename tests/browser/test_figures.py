"""Figures of a review on a narrow page, free text in tables, filters folded away."""

import pytest

from tests.browser.looks import BROKEN_FIGURES
from tests.browser.test_every_page import LANGUAGES
from tests.browser.test_protection import first_bare

LONG = "This is a long reason that somebody wrote in full sentences. " * 5
WIDE_TABLES = """(long) => {
    for (const text of document.querySelectorAll('.tbl tbody .sub, .tbl .why, .tbl .text'))
        if (!text.classList.contains('nw')) text.textContent = long;
    return [...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth + 1)
        .map((one) => one.getAttribute('aria-label') || one.getAttribute('aria-labelledby'));
}"""
FILTERED = {"/orders/": "side=BUY", "/history/": "kind=fills", "/audit/": "name=admin"}
FILTERED |= {"/signals/": "action=BUY", "/protection/": "state=ACTIVE"}


def set_up(page, desk):
    page.goto(f"{desk.address}/protection/protect/{first_bare(desk)}/")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_figure_of_a_review_is_torn_apart(open_page, signed_in, desk, language):
    page = open_page("/", width=390, height=844, storage_state=signed_in, locale=language)
    set_up(page, desk)
    found = [page.evaluate(BROKEN_FIGURES)]
    page.locator("form.form button").click()
    page.locator("[name=token]").wait_for(state="attached")
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        found.append(page.evaluate(BROKEN_FIGURES))
    assert found == [[], [], []]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "path", ["/", "/protection/", "/orders/", "/portfolio/", "/watchlist/", "/alerts/?show=all"]
)
def test_a_long_text_wraps_in_its_table(open_page, signed_in, path, language):
    page = open_page(path, storage_state=signed_in, locale=language)
    found = {}
    for width in (1440, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        found[width] = page.evaluate(WIDE_TABLES, LONG)
    assert found == {1440: [], 1280: []}


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("path", FILTERED)
def test_filters_are_folded_on_a_phone_until_they_filter(open_page, signed_in, path, script):
    page = open_page(path, width=390, height=844, storage_state=signed_in, java_script_enabled=script)
    button = page.locator(".fold form button").last
    assert not button.is_visible()
    page.locator(".fold > summary").click()
    assert button.is_visible()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.reload()
    assert button.is_visible()
    assert not page.locator(".fold > summary").is_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(page.url.partition("?")[0] + "?" + FILTERED[path])
    assert button.is_visible()


def test_a_spanish_telephone_can_type_its_comma_and_is_asked_when_it_could_be_two_numbers(
    open_page, signed_in, desk
):
    page = open_page("/", width=390, height=844, storage_state=signed_in, locale="es-ES")
    set_up(page, desk)
    stop, target = page.locator("[name=stop_price]"), page.locator("[name=take_profit_price]")
    assert (stop.get_attribute("type"), stop.get_attribute("inputmode")) == ("text", "decimal")
    assert "." not in stop.input_value()
    stop.fill("1.234")
    target.fill("9.999.999,5")
    page.locator("form.form button").click()
    page.get_by_text("«1.234» puede ser 1,2340 o 1234. Escribe uno de los dos.").wait_for()
    assert (stop.input_value(), target.input_value()) == ("1.234", "9.999.999,5")
