"""Sentences of the pages: on average below 18 words, none of them above 40."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "sweeps/README.md"]
MAX_AVERAGE, MAX_WORDS = 18, 40


def sentences(text: str) -> list[str]:
    """Return the sentences of a page: no code, no tables, no headings.

    >>> sentences("# Title\\n\\nOne `a.b c` here. Two\\nlines.\\n\\n- three\\n")
    ['One code here.', 'Two lines.', 'three']
    """
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    text = re.sub(r"^(\||#|!\[).*$", "", text, flags=re.M)
    text = re.sub(r"`[^`]*`", "code", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    blocks = re.split(r"\n\s*\n|^\s*(?:[-*]|\d+\.) ", text, flags=re.M)
    found = [part for block in blocks for part in re.split(r"(?<=[.?!])\s+", " ".join(block.split()))]
    return [part for part in found if re.search(r"\w", part)]


def test_sentences_are_found():
    assert sentences("# Title\n\nOne `a.b c` here. Two\nlines.\n\n- three\n") == [
        "One code here.",
        "Two lines.",
        "three",
    ]


def test_the_average_sentence_is_short_on_every_page():
    averages, long = {}, []
    for page in PAGES:
        lengths = {sentence: len(sentence.split()) for sentence in sentences(page.read_text(encoding="utf-8"))}
        averages[page.relative_to(ROOT).as_posix()] = sum(lengths.values()) / max(1, len(lengths))
        long += [f"{page.name}: {count} words: {sentence}" for sentence, count in lengths.items() if count > MAX_WORDS]
    worst = sorted(averages.items(), key=lambda each: -each[1])
    print("\n".join(f"{average:5.1f} words a sentence  {page}" for page, average in worst))
    assert len(averages) > 15
    assert worst[0][1] < MAX_AVERAGE, f"the worst pages: {worst[:5]}"
    assert not long, "\n".join(long)
