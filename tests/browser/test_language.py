"""A Spanish browser is answered in Spanish, and the switch stays."""

import pytest


@pytest.fixture
def spanish(open_page, signed_in):
    """`spanish("/orders/")`: a page in a browser that asks for Spanish."""
    return lambda path, **values: open_page(path, locale="es-ES", storage_state=signed_in, **values)


def test_the_switch_changes_the_language_and_stays(spanish):
    page = spanish("/")
    assert page.get_by_role("heading", name="Órdenes abiertas").count() == 1
    page.locator("details.account > summary").click()
    page.get_by_role("button", name="English").click()
    page.wait_for_load_state()
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("link", name="Orders", exact=True).first.click()
    page.wait_for_url("**/orders/")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.get_by_role("heading", name="Orders", exact=True).count() == 1
