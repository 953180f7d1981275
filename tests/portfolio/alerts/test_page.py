"""Alerts on the desk: the banner, the page, acknowledging, the admin, and what `/health` says of delivery."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from portfolio.alerts.delivery import alert_deliver_all
from portfolio.alerts.selectors import alert_summary
from portfolio.models import Alert
from tests.factories import (
    AlertFactory,
    BalanceFactory,
    GroupFactory,
    HeartbeatFactory,
    InstrumentFactory,
    SyncRunFactory,
    UserFactory,
)
from tests.portfolio.pages import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    browser = Client()
    browser.force_login(UserFactory())
    return browser


def page(browser=None, address="/alerts/"):
    return (browser or Client()).get(address).content.decode()


def notices():
    return " ".join(alert_summary().notices)


class TestShown:
    def test_what_needs_somebody_newest_first(self):
        for number in range(5):
            AlertFactory(title=f"Alert {number}", raised_at=timezone.now() - timedelta(minutes=number))
        shown = alert_summary()
        assert [alert.title for alert in shown.alerts] == ["Alert 0", "Alert 1", "Alert 2"]
        assert shown.others == 4

    def test_they_stand_on_every_page(self, settings):
        settings.LIVE_TRADING = True
        AlertFactory(title="A first one")
        AlertFactory(title="A second one")
        for address in ("/", "/alerts/", "/about/"):
            assert "1 more alert needs attention." in page(address=address)
            assert "set ALERT_URLS" in page(address=address)

    def test_acknowledging_does_not_call_a_failed_stop_well(self):
        assert "Nothing needs attention" in page()
        InstrumentFactory()
        BalanceFactory()
        GroupFactory(state="STOP_FAILED")
        shown = page()
        assert "Nothing needs attention" not in shown
        assert "not every position is protected" in shown

    def test_coins_without_any_stop_need_attention_here_too(self):
        InstrumentFactory()
        BalanceFactory()
        shown = page()
        assert "Nothing needs attention" not in shown
        assert "BTC" in shown.split("Positions that need attention")[1].split("</section>")[0]

    def test_they_are_named_beside_open_alerts_as_well(self):
        InstrumentFactory()
        BalanceFactory()
        AlertFactory(kind="CLOSED")
        shown = page()
        assert "BTC" in shown.split("Positions that need attention")[1].split("</section>")[0]
        assert "Positions that need attention" not in page(address="/alerts/?show=all")

    @pytest.mark.parametrize(
        "changes",
        [
            {"ended_at": timezone.now()},
            {"acknowledged_at": timezone.now()},
        ],
    )
    def test_what_needs_nobody_is_not_in_the_banner(self, changes):
        AlertFactory(**changes)
        assert not alert_summary()

    def test_a_live_account_without_a_channel_is_warned(self, settings):
        assert not alert_summary()
        settings.LIVE_TRADING = True
        assert "set ALERT_URLS" in notices()
        settings.ALERT_URLS = "json://127.0.0.1/x"
        assert not alert_summary()

    def test_a_failed_delivery_is_said_until_it_went_or_somebody_has_seen_it(self, post, clock):
        post.status = 500
        AlertFactory(ended_at=clock())
        alert_deliver_all(clock=clock)
        assert "1 alert could not be sent. Not accepted by channel 1 (JSON)." in notices()
        clock.tick(minutes=1)
        post.status = 200
        alert_deliver_all(clock=clock)
        assert notices() == ""
        AlertFactory(
            ended_at=clock(), state="FAILED", attempts=30, last_error=("Not accepted by channel 1 (JSON).")
        )
        assert "could not be sent" in notices()
        Alert.objects.update(acknowledged_at=clock())
        assert notices() == ""


class TestHealth:
    def test_a_failed_delivery_degrades_it(self):
        HeartbeatFactory()
        SyncRunFactory()
        AlertFactory(state="FAILED", attempts=30, last_error=("Not accepted by channel 1 (Telegram)."))
        said = Client().get("/health").json()
        assert said["status"] == "degraded"
        assert said["reasons"] == [("1 alert could not be sent. Not accepted by channel 1 (Telegram).")]

    def test_a_missing_channel_does_not(self, settings):
        settings.LIVE_TRADING = True
        HeartbeatFactory()
        SyncRunFactory()
        AlertFactory()
        assert Client().get("/health").json()["status"] == "ok"


class TestPage:
    def test_it_lists_what_needs_somebody_and_on_request_everything(self):
        AlertFactory(title="Needs me")
        AlertFactory(title="Is over", ended_at=timezone.now())
        assert "Needs me" in page()
        assert "Is over" not in page()
        assert "Is over" in page(address="/alerts/?show=all")

    def test_it_leads_to_the_group(self):
        group = GroupFactory()
        AlertFactory(oco_group_id=group.pk)
        assert f'href="/protection/{group.pk}/"' in page()

    def test_empty_it_says_so(self):
        assert "Nothing needs attention" in page()
        assert "No channel is configured" in page()

    def test_its_channels_are_named_without_their_addresses(self, post):
        html = page()
        assert "Sent to channel 1 (JSON)." in html
        assert str(post.port) not in html

    def test_how_delivery_went_stands_beside_each(self, post, clock):
        post.status = 500
        AlertFactory()
        alert_deliver_all(clock=clock)
        assert "Not accepted by channel 1 (JSON)." in page()

    def test_words_of_others_are_text(self):
        AlertFactory(title="<b>bold</b>", text="<script>alert(1)</script>")
        found = Page(page())
        assert "&lt;script&gt;alert(1)" in page()
        assert found.inline == found.external == []

    def test_nothing_on_it_is_forbidden_by_the_policy(self, alice):
        AlertFactory.create_batch(30)
        for address in ("/alerts/", "/alerts/?page=2", "/alerts/?show=all&page=99"):
            found = Page(page(alice, address))
            assert found.inline == found.external == []

    def test_who_may_not_read_sees_nothing(self, settings):
        settings.DASHBOARD_PUBLIC = "false"
        AlertFactory(title="Secret")
        answer = Client().get("/alerts/")
        assert answer.status_code == 302
        assert "/login/" in answer["Location"]


class TestAcknowledge:
    def ask(self, browser, wanted, **extra):
        return browser.post("/alerts/acknowledge/", {"alert": wanted, "back": "/alerts/", **extra})

    def test_one(self, alice):
        alert = AlertFactory()
        AlertFactory()
        assert self.ask(alice, alert.pk)["Location"] == "/alerts/"
        alert.refresh_from_db()
        assert alert.acknowledged_by == "alice"
        assert Alert.objects.filter(acknowledged_at=None).count() == 1

    def test_all_that_need_somebody(self, alice):
        AlertFactory.create_batch(30)
        news = AlertFactory(ended_at=timezone.now())
        self.ask(alice, "all")
        assert list(Alert.objects.filter(acknowledged_at=None)) == [news]

    def test_the_first_one_counts(self, alice):
        alert = AlertFactory(acknowledged_at=timezone.now(), acknowledged_by="bob")
        assert (
            "Already acknowledged."
            in alice.post(
                "/alerts/acknowledge/", {"alert": alert.pk, "back": "/alerts/"}, follow=True
            ).content.decode()
        )
        alert.refresh_from_db()
        assert alert.acknowledged_by == "bob"

    @pytest.mark.parametrize("wanted", ["", "0", "4711", "-1", "²", "9" * 30, "1 or 1=1"])
    def test_what_is_not_there(self, alice, wanted):
        assert self.ask(alice, wanted).status_code == 404

    def test_it_needs_a_login_and_a_post(self, alice):
        alert = AlertFactory()
        assert "/login/" in self.ask(Client(), alert.pk)["Location"]
        assert alice.get("/alerts/acknowledge/").status_code == 405
        alert.refresh_from_db()
        assert alert.acknowledged_at is None

    def test_a_foreign_page_cannot_do_it(self, alice):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(UserFactory())
        assert self.ask(strict, AlertFactory().pk).status_code == 403

    def test_it_leads_back_to_no_other_site(self, alice):
        answer = self.ask(alice, AlertFactory().pk, back="https://evil.example.org/")
        assert answer["Location"] == "/"


class TestAdmin:
    def test_it_filters_and_acknowledges(self, alice):
        first, second = AlertFactory(condition="sync"), AlertFactory(condition="key", ended_at=timezone.now())
        listed = page(alice, "/admin/portfolio/alert/?over=no&seen=no")
        assert f"/admin/portfolio/alert/{first.pk}/change/" in listed
        assert f"/admin/portfolio/alert/{second.pk}/change/" not in listed
        alice.post("/admin/portfolio/alert/", {"action": "acknowledge", "_selected_action": [first.pk]})
        first.refresh_from_db()
        assert first.acknowledged_by == "alice"

    def test_messages_can_be_read(self, alice, post, clock):
        AlertFactory()
        alert_deliver_all(clock=clock)
        assert alice.get("/admin/portfolio/alertmessage/").status_code == 200
