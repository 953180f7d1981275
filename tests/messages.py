"""`python -m tests.messages`: extract all displayed texts, update the catalogues and compile them.

Untranslated texts are listed; the exit code is 1 if there are any. Templates are read as Django reads them.
"""

import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import django
from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.contrib import admin
from django.utils.text import capfirst
from django.utils.translation import override
from django.utils.translation.template import templatize

from exchange.client.errors import REMEDIES, clock_remedy

ROOT = Path(__file__).parent.parent
LOCALE = ROOT / "locale"
APPS = ("config", "exchange", "oco", "portfolio")
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
    "CodeInfo": (3,),  # the meaning of an exchange code
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def sources() -> Iterator[tuple[Path, str]]:
    """Every file with texts, templates converted to Python."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "templates").rglob("*.*")):
        if path.suffix in {".html", ".txt"}:
            yield path, templatize(path.read_text(encoding="utf-8"))


def template() -> Catalog:
    """All texts of the program."""
    catalog = Catalog(project="Exchange Desk", charset="utf-8")
    for path, text in sources():
        for _, message, _comments, context in extract("python", BytesIO(text.encode()), KEYWORDS):
            catalog.add(message, locations=[(str(path.relative_to(ROOT)), None)], context=context)
    for text in filter(None, model_texts()):
        if text not in catalog:
            catalog.add(text, locations=[("portfolio/web/admin_site.py", None)])
    for remedy in (*REMEDIES.values(), clock_remedy(None)):
        catalog.add(remedy, locations=[("exchange/client/errors.py", None)])
    return catalog


def model_texts() -> Iterator[str]:
    """The texts of the models in the admin, and the labels of forms, as the history of a record quotes them."""
    from exchange.admin.base import ReadOnlyAdmin  # needs the models

    admin.autodiscover()
    with override(None):
        for model, model_admin in admin.site._registry.items():
            names = model._meta
            if not model.__module__.startswith("django."):
                yield from map(
                    str, (names.app_config.verbose_name, names.verbose_name, names.verbose_name_plural)
                )
                for field in names.fields:
                    yield from map(str, (field.verbose_name, field.help_text))
                    yield from (str(label) for value, label in field.flatchoices if label != value)
            if not isinstance(model_admin, ReadOnlyAdmin):
                fields = [*names.fields, *names.many_to_many]
                yield from (str(capfirst(field.verbose_name)) for field in fields if field.editable)


def po_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def catalogue(language: str) -> Catalog:
    with po_path(language).open("rb") as file:
        return read_po(file, locale=language)


def compiled(language: str) -> bytes:
    out = BytesIO()
    write_mo(out, catalogue(language))
    return out.getvalue()


def untranslated(language: str) -> list[str]:
    """Texts without a translation, or with a fuzzy one."""
    known = catalogue(language)
    return [str(message.id) for message in template() if message.id and not _is_translated(known, message)]


def _is_translated(known: Catalog, message: Message) -> bool:
    found = known.get(message.id, message.context)
    texts = found.string if found and isinstance(found.string, tuple) else (found and found.string,)
    return bool(found) and not found.fuzzy and all(texts)


def misplaced(language: str) -> list[str]:
    """Translations whose placeholders differ from those of the text."""
    return [
        str(message.id) for message in catalogue(language) if message.id and not _placeholders_match(message)
    ]


def _placeholders_match(message: Message) -> bool:
    singular, plural = message.id if isinstance(message.id, tuple) else (message.id, message.id)
    translated = message.string if isinstance(message.string, tuple) else (message.string,)
    allowed = {frozenset(PLACEHOLDER.findall(singular)), frozenset(PLACEHOLDER.findall(plural))}
    return all(not text or frozenset(PLACEHOLDER.findall(text)) in allowed for text in translated)


def update(language: str) -> list[str]:
    """Update one catalogue on disk; returns its untranslated texts."""
    path = po_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = catalogue(language) if path.exists() else Catalog(locale=language, charset="utf-8")
    known.update(template(), no_fuzzy_matching=True, update_header_comment=False)
    known.obsolete.clear()
    with path.open("wb") as file:
        write_po(file, known, width=110, sort_output=True, omit_header=False, include_lineno=False)
    path.with_suffix(".mo").write_bytes(compiled(language))
    return untranslated(language)


def main() -> int:
    missing = [text for code, _ in settings.LANGUAGES if code != "en" for text in update(code)]
    for text in missing:
        print(text)
    return 1 if missing else 0


if __name__ == "__main__":
    import os

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    sys.exit(main())
