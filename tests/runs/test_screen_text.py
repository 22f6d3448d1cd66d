"""What stands in a file cannot steer a terminal."""

import pytest

from sr.runs.screen_text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07 \x1b[2J", r"\x1b]0;title\x07 \x1b[2J"),
        ("a\rb\x08\x7f\x9b31m", r"a\rb\x08\x7f\x9b31m"),
        ("gnp.\u202eexe\u2066", r"gnp.\u202eexe\u2066"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("torn\udcff", r"torn\udcff"),
    ],
)
def test_what_a_terminal_would_obey_becomes_visible(text, shown):
    assert printable(text) == shown
    printable(text).encode("utf-8")


@pytest.mark.parametrize("text", ["", "model_espcn-scale_2", "Größe 5 µm ± 日本 🙂", "two\nlines\tand a tab"])
def test_ordinary_text_stays(text):
    assert printable(text) == text
