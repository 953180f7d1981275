"""An alert arrives whole and as plain words, whatever its text holds and whatever the channel understands."""

import re
from html import unescape
from unittest import mock

import pytest

from portfolio.alerts.channels import Channel, Message

TEXT = (
    "Refused: price < 100 & size > 2 <a href='http://evil.example'>click</a> <img src=x onerror=alert(1)> "
    "[your bank](http://evil.example) @everyone `rm` <b>end\nlast line"
)
TITLE = "DRY RUN · BTC <b>& co</b> <script>"
HTML = [
    "tgram://123456789:abcdefghijklmnopqrstuvwxyz123456789/12345",
    "mailto://user:password@gmail.com?format=html",
    "matrix://user:password@localhost/room?format=html",
    "pover://ubczqkcbvbgkxmabsoiwyztfayhpbd@azwkxjjvctacmbrfijvmwjpkgkbnct?format=html",
]
MARKDOWN = [
    "tgram://123456789:abcdefghijklmnopqrstuvwxyz123456789/12345?format=markdown",
    "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?format=markdown",
    "ntfy://topic?format=markdown",
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/",
]
PLAIN = ["mailto://user:password@gmail.com?format=text", "ntfy://topic"]
TAGS_OF_APPRISE = {"b", "/b", "br", "br /", "br/"}


def arrived(url, text=TEXT):
    """Title and body of each message that the service would send."""
    channel, got = Channel(1, url), []
    service = channel._service()

    def record(self, body, title="", **options):
        got.append(f"{title}\n{body}")
        return True

    with mock.patch.object(type(service), "send", record):
        assert channel.send(Message(title=TITLE, text=text))
    return got


@pytest.mark.parametrize("url", [*HTML, *MARKDOWN, *PLAIN])
def test_no_markup_of_the_text_is_alive(url):
    whole = "".join(arrived(url))
    assert set(re.findall(r"<([^>]*)>", whole)) <= TAGS_OF_APPRISE
    assert whole.lower().count("<b>") <= 1  # the title, by Apprise
    assert "](" not in whole
    assert "@everyone" not in whole


@pytest.mark.parametrize("url", [*HTML, *MARKDOWN, *PLAIN])
def test_all_of_it_arrives(url):
    whole = unescape(" ".join(arrived(url))).replace("\xa0", " ")
    for words in ("100", "click", "your bank", "end", "last"):
        assert words in whole


@pytest.mark.parametrize("url", HTML)
def test_a_long_one_is_cut_between_signs_and_nothing_is_lost(url):
    parts = arrived(url, text="a<b & " * 3000)
    whole = unescape("".join(parts)).replace("\xa0", " ")
    assert whole.replace(TITLE.replace("<", "‹"), "").count("‹") - whole.count("‹b›＆ co") * 3 == 3000
    for part in parts:
        assert not re.search(r"&[a-z]*$|^[a-z]*;", part.strip())


def test_programs_get_the_text_as_it_is():
    (body,) = arrived("json://localhost")
    assert body == f"{TITLE}\n{TEXT}"
