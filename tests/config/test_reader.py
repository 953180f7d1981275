"""Values that are understood, and sentences for those that are not."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import EnvReader, read_environment


@pytest.mark.parametrize(
    ("word", "meaning"), [("true", True), ("On", True), (" 1 ", True), ("NO", False), ("0", False)]
)
def test_a_flag_is_plain_yes_or_no(word, meaning):
    assert EnvReader({"LIVE_TRADING": word}).boolean("LIVE_TRADING", default=not meaning) is meaning


def test_maybe_is_not_a_flag():
    with pytest.raises(ImproperlyConfigured, match="LIVE_TRADING must be true or false, not “maybe”"):
        EnvReader({"LIVE_TRADING": "maybe"}).boolean("LIVE_TRADING", default=False)


@pytest.mark.parametrize("word", ["abc", "80.5", "1e3", "١٢", "1" * 10])
def test_a_port_is_a_whole_number(word):
    with pytest.raises(ImproperlyConfigured, match="PORT must be a whole number"):
        EnvReader({"PORT": word}).integer("PORT", default=8002)


@pytest.mark.parametrize("word", ["abc", "5,5", "1e3", "NaN", "٥"])
def test_a_percentage_is_a_plain_number(word):
    with pytest.raises(ImproperlyConfigured, match="STOP_LOSS_PCT must be a number"):
        EnvReader({"STOP_LOSS_PCT": word}).number("STOP_LOSS_PCT", default="5")


def test_empty_is_the_same_as_absent():
    read = EnvReader({"PORT": "", "ALLOWED_HOSTS": " "})
    assert read.integer("PORT", default=8002) == 8002
    assert read.string_list("ALLOWED_HOSTS", default="localhost,[::1]") == ["localhost", "[::1]"]


def test_names_are_separated_by_commas_and_trimmed():
    assert EnvReader({"CASH_CURRENCIES": " USD, EUR ,,"}).string_list("CASH_CURRENCIES", default="") == [
        "USD",
        "EUR",
    ]


@pytest.mark.parametrize("word", ["Mars/Olympus", "/etc/passwd", "../UTC"])
def test_a_time_zone_that_does_not_exist_is_named(word):
    with pytest.raises(ImproperlyConfigured, match="TIME_ZONE must be a time zone"):
        EnvReader({"TIME_ZONE": word}).time_zone("TIME_ZONE", default="UTC")


def test_a_database_address_is_read():
    found = EnvReader({"DATABASE_URL": "postgres://desk:s3cret@db:5433/desk"}).database("DATABASE_URL", "")
    assert (found["ENGINE"], found["HOST"], found["PORT"]) == ("django.db.backends.postgresql", "db", 5433)


@pytest.mark.parametrize(
    "address", ["mysql://desk:s3cret@db/desk", "s3cret", "postgres://desk:s3cret@db:x/desk"]
)
def test_a_wrong_database_address_is_not_repeated(address):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as refusal:
        EnvReader({"DATABASE_URL": address}).database("DATABASE_URL", "")
    assert "s3cret" not in str(refusal.value)


def test_the_environment_wins_over_the_file_and_is_left_alone(tmp_path):
    file = tmp_path / ".env"
    file.write_text("# a note\nexport PORT=1\nCRYPTO_COM_SECRET_KEY='$a#b=c'\n\nHOST=\"::1\"\n")
    environment = {"PORT": "2"}
    found = read_environment(environment, file)
    assert found == {"PORT": "2", "CRYPTO_COM_SECRET_KEY": "$a#b=c", "HOST": "::1"}
    assert environment == {"PORT": "2"}


def test_a_secret_that_begins_with_a_dollar_is_taken_as_it_is():
    assert EnvReader({"CRYPTO_COM_SECRET_KEY": "$HOME"}).text("CRYPTO_COM_SECRET_KEY") == "$HOME"


@pytest.mark.parametrize(
    "line", ["CRYPTO_COM_SECRET_KEY = hush", "CRYPTO_COM_SECRET_KEY: hush", " PORT=1 hush"]
)
def test_a_line_that_is_not_understood_is_refused_without_repeating_it(tmp_path, line):
    file = tmp_path / ".env"
    file.write_text(f"PORT=1\n{line}\n")
    with pytest.raises(ImproperlyConfigured, match=r"Line 2 of \.env") as refusal:
        read_environment({}, file)
    assert "hush" not in str(refusal.value)


def test_a_file_that_is_not_there_is_no_trouble(tmp_path):
    assert read_environment({"PORT": "2"}, tmp_path / ".env") == {"PORT": "2"}


def test_the_mode_is_part_of_the_database_name_where_it_is_asked_for():
    address = "postgres://desk@/desk_{mode}?host=/var/run/postgresql"
    found = EnvReader({"DATABASE_URL": address}).database("DATABASE_URL", "", mode="live")
    assert (found["NAME"], found["USER"]) == ("desk_live", "desk")
    assert found["OPTIONS"] == {"host": "/var/run/postgresql"}


def test_a_choice_is_one_of_its_words():
    assert EnvReader({"LOG_FORMAT": "JSON"}).choice("LOG_FORMAT", "text", ("text", "json")) == "json"
    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT must be text or json, not “xml”"):
        EnvReader({"LOG_FORMAT": "xml"}).choice("LOG_FORMAT", "text", ("text", "json"))


def test_a_file_of_another_user_is_a_sentence_and_no_traceback(tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text("PORT=8002\n")

    def refused(*_args, **_kwargs):
        raise PermissionError

    monkeypatch.setattr(type(file), "open", refused)
    with pytest.raises(ImproperlyConfigured, match=r"belongs to user .* DESK_UID"):
        read_environment({}, file)
