"""What holds for every page, whoever looks at it and however. Each page is opened once in each language."""

import re

import pytest

from tests.browser.looks import BROKEN_FIGURES, NAMED, axe_violations, horizontal_overflow

PAGES = ["/", "/protection/", "/orders/", "/portfolio/", "/signals/", "/watchlist/", "/history/", "/alerts/"]
PAGES += ["/login/", "/sudo/", "/audit/", "/api/docs/"]
WIDTHS = [320, 390, 768, 1280, 1440]
LANGUAGES = ["en-GB", "es-ES"]
# Each theme and each width once for each page; the other pairs in `make soak`.
LOOKS = [(390, "light"), (1440, "dark")]
OTHER_LOOKS = [(390, "dark"), (1440, "light")]
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


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request):
    return request.param


@pytest.fixture(scope="module", params=PAGES)
def path(request):
    return request.param


@pytest.fixture(scope="module")
def page(open_shared_page, fresh_login, path, language):
    with open_shared_page() as open_page:
        page = open_page(path, storage_state=fresh_login(), locale=language)
        page.wait_for_load_state("networkidle")
        yield page


@pytest.fixture
def ours(path):
    """Swagger UI's own markup is not ours to correct, and tells programs in English what they may ask for."""
    if path == "/api/docs/":
        pytest.skip("not our markup")


def show(page, width, theme="light"):
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 844})


def test_it_breaks_no_rule_of_ours_and_asks_nobody_else(page):
    assert page.monitor.problems == []


def test_no_width_scrolls_sideways(page):
    found = {}
    for width in WIDTHS:
        show(page, width)
        found[width] = horizontal_overflow(page)
    assert found == dict.fromkeys(WIDTHS, 0)


@pytest.mark.usefixtures("ours")
def test_no_figure_is_torn_apart(page):
    found = {}
    for width in (390, 320):
        show(page, width)
        found[width] = page.evaluate(BROKEN_FIGURES)
    assert found == {390: [], 320: []}


@pytest.mark.parametrize(
    ("width", "theme"), [*LOOKS, *(pytest.param(*look, marks=pytest.mark.soak) for look in OTHER_LOOKS)]
)
@pytest.mark.parametrize("language", LANGUAGES[:1], indirect=True)
def test_axe_finds_nothing(page, width, theme):
    show(page, width, theme)
    page.wait_for_timeout(300)  # colours may fade from one theme into the other
    assert axe_violations(page) == []


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("language", LANGUAGES[:1], indirect=True)
def test_what_is_pressed_is_called_what_it_shows(page):
    """Said by voice, the words that are seen must be found; axe compares them where a name is given."""
    show(page, 1440)
    assert [html for html in page.evaluate(NAMED) if re.search("href|<button|<summary", html)] == []


def is_english(text):
    """Capitals are the exchange's own words."""
    return any(word.lower() in TELL_TALES and not word.isupper() for word in re.findall(r"\w+", text))


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("language", LANGUAGES[1:], indirect=True)
def test_no_english_is_left_on_a_spanish_page(page):
    assert page.locator("html").get_attribute("lang") == "es"
    assert [text for text in page.evaluate(WORDS) if is_english(text)] == []


@pytest.mark.parametrize("language", LANGUAGES[1:], indirect=True)
@pytest.mark.parametrize("path", ["/", "/portfolio/", "/protection/", "/orders/"], indirect=True)
def test_figures_have_a_decimal_comma(page):
    """And points between thousands, in dollars, prices, quantities and percentages."""
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    found = page.locator("main data").all_text_contents()
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = false)")
    assert found
    written = re.compile(r"[−+]?<?\$?\d{1,3}(\.\d{3})*(,\d+)?%?")
    assert [one for one in found if not written.fullmatch(one)] == []
