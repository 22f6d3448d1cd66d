"""Tables of measured figures: each names the commit that measured it, or the files that its figures come from."""

import re
import subprocess

from tests.docs.pages import PAGES, ROOT

GENERATED = "results.md"
NOT_MEASURED = {("certificate.md", "step"), ("soap.md", "`optimizer.`"), ("protocols.md", "protocol")}
"""Page and first cell of tables of settings and bounds."""
TABLE = re.compile(r"((?:^\|[^\n]*\n)+)(.{0,900})", re.M | re.S)
SOURCE = re.compile(r"[Mm]easured at (?:commits? )?`?[0-9a-f]{7}|`card\.json`|\[table 4\]")


def tables() -> list[tuple[str, str, str]]:
    """Return page, rows and the text after it, up to the next heading, of each table with figures."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for table in TABLE.finditer(text):
            rows = table[1]
            first = rows.split("|")[1].strip()
            if page.name != GENERATED and (page.name, first) not in NOT_MEASURED and is_measured(rows):
                around = text[max(0, table.start() - 900) : table.start()].rpartition("\n#")[2]
                found.append((page.name, rows, around + "\n|\n" + table[2].partition("\n#")[0].partition("\n|")[0]))
    return found


def is_measured(rows: str) -> bool:
    """Return whether three cells or more hold a number with a decimal point or a unit."""
    cells = [cell for row in rows.splitlines()[2:] for cell in row.strip("|").split("|")[1:]]
    return sum(bool(re.search(r"\d\.\d|\d (?:ms|us|s|MB|GB|dB|frames)\b|^\W*\d{3,}\W*$", cell)) for cell in cells) >= 3


def test_every_table_of_figures_names_its_commit_or_file():
    found = tables()
    assert len(found) > 25
    missing = [f"{page}: {rows.splitlines()[0]}" for page, rows, around in found if not SOURCE.search(around)]
    assert not missing, "\n".join(missing)


def test_the_commits_exist():
    commits = {
        commit
        for page in PAGES
        for each in re.findall(r"[Mm]easured at (?:commits? )?([^.:]*)", page.read_text(encoding="utf-8"))
        for commit in re.findall(r"\b[0-9a-f]{7}\b", each)
    }
    assert len(commits) > 20
    git = ["git", "-C", str(ROOT)]
    known = subprocess.run([*git, "rev-list", "--abbrev=7", "--abbrev-commit", "HEAD"], capture_output=True, text=True)
    shallow = subprocess.run([*git, "rev-parse", "--is-shallow-repository"], capture_output=True, text=True)
    if shallow.stdout.strip() == "false":
        assert commits <= set(known.stdout.split())
