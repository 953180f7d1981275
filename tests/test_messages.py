"""Everything that is shown is said in Spanish too."""

from tests.messages import compiled, misplaced, po_path, template, untranslated


def test_no_text_is_without_a_translation():
    assert untranslated("es") == []


def test_placeholders_are_kept():
    assert misplaced("es") == []


def test_what_is_compiled_is_what_is_written():
    """Django reads the compiled file only; `make messages` writes both."""
    assert po_path("es").with_suffix(".mo").read_bytes() == compiled("es")


def test_texts_are_found_in_templates_and_in_code():
    found = {message.id for message in template()}
    assert len(found) > 100
