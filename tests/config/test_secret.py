"""The key that signs sessions."""

import stat

from config.env import secret_key


def test_it_is_born_once_and_only_its_owner_reads_it(tmp_path):
    file = tmp_path / "var" / "secret_key"
    born = secret_key(file)
    assert len(born) >= 50
    assert secret_key(file) == born
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["secret_key"]


def test_two_installations_differ(tmp_path):
    assert secret_key(tmp_path / "a") != secret_key(tmp_path / "b")
