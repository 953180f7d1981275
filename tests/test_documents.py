"""The documents are complete, in both languages, and what they name exists: files, headings, settings, commands."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
FOR_USERS = ["going-live", "settings", "operations", "alerts", "troubleshooting", "results", "signals", "api"]
FOR_DEVELOPERS = [
    *("architecture", "protection", "exchange", "simulator"),
    *("adding-an-alert", "adding-an-exchange-method", "adding-a-page"),
]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"manage\.py ([a-z_]+)")
README_WORDS = 900
BY_COMPOSE = {"DESK_UID", "DESK_GID"}
BEFORE_THE_FILE = {"ENV_FILE"}
UNUSUAL = re.compile(
    r"\b(whoever|so many|naked|mend(?:s|ed)?|told|by hand|reckon(?:s|ed)?|rooms?|house)\b", re.IGNORECASE
)
WORKPLACE = re.compile(r"/(?:work|tmp|root|home)/|(?<![\w/])#\d+\b")


def read(path):
    return path.read_text(encoding="utf-8")


def name_of(path):
    return str(path.relative_to(ROOT))


def anchors(path):
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", read(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path):
    return [link for link in LINK.findall(read(path)) if "://" not in link]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(path):
    for link in links(path):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_command_exists(path):
    named = set(COMMAND.findall(read(path)))
    assert named <= set(get_commands()), named - set(get_commands())


@pytest.mark.parametrize("name", ["README.md", "README.es.md"])
def test_the_readme_is_short(name):
    assert len(read(ROOT / name).split()) <= README_WORDS


def test_every_user_document_exists_in_both_languages():
    found = {path.name for path in DOCS.glob("*.md")}
    assert found == {f"{name}{language}.md" for name in FOR_USERS for language in ("", ".es")}


def test_every_developer_document_exists():
    assert {path.stem for path in (DOCS / "dev").glob("*.md")} == set(FOR_DEVELOPERS)


@pytest.mark.parametrize("name", ["README", *(f"docs/{name}" for name in FOR_USERS)])
def test_both_languages_have_the_same_shape(name):
    """As many sections, table rows, code blocks and list items. The Spanish README has a chapter of its own."""
    english, spanish = (read(ROOT / f"{name}{language}.md") for language in ("", ".es"))
    assert f"({Path(name).name}.es.md)" in english
    assert f"({Path(name).name}.md)" in spanish
    if name != "README":
        for shape in (r"^#+ ", r"^\|", r"^```", r"^(?:- |\d+\. )"):
            counts = [len(re.findall(shape, text, re.MULTILINE)) for text in (english, spanish)]
            assert counts[0] == counts[1], shape


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if ".es." in path.name], ids=name_of)
def test_spanish_documents_link_to_spanish_ones(path):
    other = {f"{name}.md" for name in FOR_USERS} - {path.name.replace(".es", "")}
    assert [link for link in links(path) if Path(link.partition("#")[0]).name in other] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_the_words_are_plain_and_about_the_product(path):
    assert UNUSUAL.findall(read(path)) == []
    assert WORKPLACE.findall(read(path)) == []


def settings_read():
    return set(re.findall(r'env\.\w+\(\s*"(\w+)"', read(ROOT / "config" / "settings.py")))


def test_the_example_lists_every_setting_and_no_other():
    listed = set(re.findall(r"^#?([A-Z][A-Z_]+)=", read(ROOT / ".env.example"), re.MULTILINE))
    assert listed - BY_COMPOSE == settings_read() - BEFORE_THE_FILE


@pytest.mark.parametrize("name", ["settings.md", "settings.es.md"])
def test_every_setting_is_documented_and_no_other(name):
    documented = set()
    for row in re.findall(r"^\| (`[A-Z][^|]*) \|", read(DOCS / name), re.MULTILINE):
        documented |= set(re.findall(r"`([A-Z_]+)`", row))
    assert documented == settings_read() - BEFORE_THE_FILE


@pytest.mark.parametrize("name", ["troubleshooting.md", "troubleshooting.es.md"])
def test_every_error_line_of_check_connection_is_explained(name):
    text = read(DOCS / name)
    source = read(ROOT / "exchange" / "client" / "diagnostics.py")
    names = set(re.findall(r'(?:Step|_try)\(\s*"([^"]+)"', source)) | set(
        re.findall(r'yield "([^"]+)"', source)
    )
    assert len(names) >= 7
    assert {name for name in names if f"`{name}`" not in text} == set()
