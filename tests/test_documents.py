"""What the documents name is there: files, headings, settings, commands."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"manage\.py ([a-z_]+)")
BY_COMPOSE = {"DESK_UID", "DESK_GID"}
BEFORE_THE_FILE = {"ENV_FILE"}


def anchors(path):
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path):
    return [link for link in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in link]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path):
    for link in links(path):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_is_there(path):
    named = set(COMMAND.findall(path.read_text(encoding="utf-8")))
    assert named <= set(get_commands()), named - set(get_commands())


def settings_read():
    text = (ROOT / "config" / "settings.py").read_text(encoding="utf-8")
    return set(re.findall(r'read\.\w+\(\s*"(\w+)"', text))


def test_the_example_lists_every_setting_and_no_other():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = set(re.findall(r"^#?([A-Z][A-Z_]+)=", text, re.MULTILINE))
    assert listed - BY_COMPOSE == settings_read() - BEFORE_THE_FILE


@pytest.mark.parametrize("name", sorted(settings_read() - {"LANGUAGE_CODE"}))
def test_the_readme_explains_every_setting(name):
    assert f"`{name}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_error_line_of_check_connection_is_explained():
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    source = (ROOT / "exchange" / "client" / "diagnostics.py").read_text(encoding="utf-8")
    names = set(re.findall(r'(?:Step|_try)\(\s*"([^"]+)"', source)) | set(
        re.findall(r'yield "([^"]+)"', source)
    )
    assert len(names) >= 7
    assert {name for name in names if f"`{name}`" not in text} == set()
