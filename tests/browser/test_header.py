"""The header holds everything at every width, in both languages, for every user."""

import pytest

from tests.browser.looks import horizontal_overflow

WIDTHS = [320, 390, 840, 861, *range(880, 1521, 40)]
# Its parts from left to right, and what is wrong with them. Only a long username is cut.
CROWDED = """classes => {
    document.documentElement.classList.add(...classes);
    const nav = document.querySelector('.top .nav'), faults = [];
    const parts = [...document.querySelectorAll('.top .brand, .top .nav > ul > li, .top .tools > *')];
    const shown = parts.filter(one => one.getBoundingClientRect().width);
    let end = 0;
    for (const part of shown.filter(one => !nav.contains(one) || getComputedStyle(nav).position === 'static')) {
        const box = part.getBoundingClientRect(), name = part.innerText.trim() || part.className;
        if (box.left < end - 0.5) faults.push(`${name}: on its neighbour`);
        if (box.right > document.documentElement.clientWidth) faults.push(`${name}: beyond the window`);
        if (part.scrollWidth > part.clientWidth + 1 && !part.matches('.brand')) faults.push(`${name}: cut`);
        end = box.right;
    }
    document.documentElement.classList.remove(...classes);
    return faults;
}"""
SYNC_STATES = [[], ["is-paused", "is-waiting"], ["is-lost"]]


@pytest.mark.parametrize("locale", ["en-GB", "es-ES"])
@pytest.mark.parametrize("is_logged_in", [True, False])
def test_it_has_room_for_all_it_holds(open_page, signed_in, locale, is_logged_in):
    page = open_page("/", locale=locale, storage_state=signed_in if is_logged_in else None)
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        found[width] = [page.evaluate(CROWDED, classes) for classes in SYNC_STATES], horizontal_overflow(page)
    assert found == dict.fromkeys(WIDTHS, ([[], [], []], 0))


def test_the_links_stand_on_one_line(open_page):
    page = open_page("/", width=1280)
    links = page.locator(".top .nav > ul > li:not(.more) > a")
    boxes = [(box["y"], box["height"]) for box in (link.bounding_box() for link in links.all())]
    assert len(boxes) == 6
    assert set(boxes) == {boxes[0]}
