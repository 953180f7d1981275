"""What a browser without a script does: reads a page, fills in its form, presses its button."""

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

SET, REVIEW, SEND = (f"/protection/protect/BTC_USD/{step}" for step in ("", "review/", "send/"))
PROTECTION_REQUEST = {"quantity": "0.10000", "stop_price": "57000.00", "take_profit_price": "66000.00"}


class Forms(HTMLParser):
    """The forms of a page that lead to `action`, with what is filled in."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.found.append((given.get("action", ""), {}))
        if tag == "input" and self.found and given.get("name"):
            self.found[-1][1][given["name"]] = given.get("value") or ""


def text(answer):
    """The words of a page, as they are read."""
    main = answer.content.decode().split("<main", 1)[-1]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))).replace(" .", ".").replace(" ,", ",")


def form(answer, action):
    """What the form to `action` would send as it stands."""
    return next(values for where, values in Forms(answer.content.decode()).found if where == action)


def post_review(client, **changes):
    """The review of this wish."""
    return client.post(REVIEW, {**PROTECTION_REQUEST, **changes}, follow=True)


def token_of(answer, action=SEND):
    return form(answer, action)["token"]


def send(client, answer, action=SEND):
    return client.post(action, {"token": token_of(answer, action)})


def address(path, **values):
    return f"{path}?{urlencode(values)}"
