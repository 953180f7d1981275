"""A Spanish browser is answered in Spanish, the switch stays, and figures have a comma."""

import re

import pytest

from tests.browser.looks import horizontal_overflow
from tests.browser.test_every_page import PAGES, WIDTHS

OURS = [path for path in PAGES if not path.startswith("/admin/")]
TELL_TALES = {"the", "and", "with", "without", "from", "order", "orders", "open", "filled", "protected"}
TELL_TALES |= {"unprotected", "price", "show"}
WORDS = """() => {
    const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const place = walker.currentNode.parentElement;
        if (!place.closest('code, script, style, [lang=en]')) texts.push(walker.currentNode.data);
    }
    for (const place of document.querySelectorAll('[aria-label], [title], [placeholder]'))
        if (!place.closest('[lang=en]'))
            texts.push(...['aria-label', 'title', 'placeholder'].map(name => place.getAttribute(name) || ''));
    return texts;
}"""


def is_english(text):
    """Capitals are the exchange's own words."""
    return any(word.lower() in TELL_TALES and not word.isupper() for word in re.findall(r"\w+", text))


@pytest.fixture
def spanish(open_page, signed_in):
    """`spanish("/orders/")`: a page in a browser that asks for Spanish."""
    return lambda path, **values: open_page(path, locale="es-ES", storage_state=signed_in, **values)


@pytest.mark.parametrize("path", [path for path in OURS if path != "/api/docs/"])
def test_no_english_is_left_on_a_spanish_page(spanish, path):
    """Programs are told in English what they may ask for: that page only says so."""
    page = spanish(path)
    assert page.locator("html").get_attribute("lang") == "es"
    assert [text for text in page.evaluate(WORDS) if is_english(text)] == []


@pytest.mark.parametrize("path", OURS)
def test_the_longer_words_do_not_scroll_sideways(spanish, path):
    page = spanish(path)
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        found[width] = horizontal_overflow(page)
    assert found == dict.fromkeys(WIDTHS, 0)


def test_the_switch_changes_the_language_and_stays(spanish):
    page = spanish("/")
    assert page.get_by_role("heading", name="Órdenes abiertas").count() == 1
    page.locator(".account > summary").click()
    page.get_by_role("button", name="English").click()
    page.wait_for_load_state()
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("link", name="Orders", exact=True).first.click()
    page.wait_for_url("**/orders/")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.get_by_role("heading", name="Orders", exact=True).count() == 1


@pytest.mark.parametrize("path", ["/", "/portfolio/", "/protection/", "/orders/"])
def test_figures_have_a_decimal_comma(spanish, path):
    """And points between thousands, in dollars, prices, quantities and percentages."""
    page = spanish(path)
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    found = page.locator("main data").all_text_contents()
    assert found
    written = re.compile(r"[−+]?<?\$?\d{1,3}(\.\d{3})*(,\d+)?%?")
    assert [one for one in found if not written.fullmatch(one)] == []
