"""Log in, who is logged in, log out, admin, language, policies, tokens, API: reachable by words, without script."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from exchange.services.permissions import groups_create_missing
from tests.portfolio.security.test_buttons import Forms

pytestmark = pytest.mark.django_db
PAGES = ["/", "/about/", "/orders/", "/switch/"]
ADMIN = {"Admin", "Protection policies", "API tokens", "Change password"}


def browser(group, **fields):
    groups_create_missing()
    client, user = Client(), User.objects.create_user("alice", password="x", **fields)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    return client


def texts(html, tag):
    found = re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", html, re.DOTALL)
    return {unescape(re.sub("<[^>]+>", "", one)).strip() for one in found}


def menu(html):
    """What the menu of the header and the foot offer, as links and as buttons."""
    parts = re.search(r'<details class="menu account">.*?</details>', html, re.DOTALL)[0]
    foot = re.search(r'<footer class="foot">.*?</footer>', html, re.DOTALL)[0]
    return texts(parts, "a"), texts(foot, "a"), texts(parts, "button"), parts


@pytest.mark.parametrize("address", PAGES)
def test_an_owner_finds_everything_in_words(address):
    links, foot, buttons, html = menu(browser("owner", is_staff=True).get(address).content.decode())
    assert {*ADMIN, "API documentation"} <= links
    assert {*ADMIN, "API documentation"} <= foot
    assert {"Log out", "English", "Español", "Apply"} <= buttons
    assert "Logged in as <b>alice</b>" in html
    words = re.sub("<[^>]+>", "", re.search("<summary.*?</summary>", html, re.DOTALL)[0])
    assert words == "aliceMenu"  # by the width


def test_only_what_may_be_used_is_offered():
    links, foot, buttons, _ = menu(browser("viewer").get("/").content.decode())
    assert (links, ADMIN & foot) == ({"API documentation"}, set())
    assert "Log out" in buttons


def test_a_viewer_of_the_admin_gets_no_tokens():
    links, *_ = menu(browser("viewer", is_staff=True).get("/").content.decode())
    assert ADMIN - links == {"API tokens"}


@pytest.mark.parametrize("public", ["true", "false"])
def test_without_a_login_there_is_a_way_in_and_the_language(settings, public):
    settings.DASHBOARD_PUBLIC = public
    html = Client().get("/login/").content.decode()
    links, foot, buttons, _ = menu(html)
    assert {"Log in"} <= links & foot
    assert {"English", "Español"} <= buttons
    assert "Log out" not in buttons
    assert ("API documentation" in links) == (public == "true")


def test_every_link_of_the_menu_opens():
    client = browser("owner", is_staff=True)
    html = menu(client.get("/").content.decode())[3]
    assert {client.get(link).status_code for link in Forms(html).links} == {200}
