"""The built site in headless Chromium: accessible, readable on a phone, searched from a folder without a network."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
PHONE, DESK = {"width": 390, "height": 800}, {"width": 1280, "height": 900}
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site in a folder of its own, as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("reference"))
    shutil.copy(ROOT / "zensical.toml", folder)
    (folder / "docs/reference").mkdir()
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs/make_reference.py")
    assert spec and spec.loader
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    for name, text in reference.pages().items():
        (folder / "docs/reference" / name).write_text(text, encoding="utf-8")
    zensical = Path(sys.executable).parent / "zensical"
    built = subprocess.run([zensical, "build", "--strict"], cwd=folder, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "site"


@pytest.fixture
def visit(browser: Any, site: Path) -> Iterator[Open]:
    """Open a page from its folder; an error in a script or a request to a server fails the test."""
    contexts, faults = [], []

    def go(name: str, **settings: Any) -> Any:
        if not contexts:
            contexts.append(browser.new_context(**settings))
            page = contexts[0].new_page()
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on(
                "request",
                lambda asked: None if asked.url.startswith(("file:", "data:", "blob:")) else faults.append(asked.url),
            )
        page = contexts[0].pages[0]
        page.goto((site / name).as_uri())
        return page

    yield go
    for context in contexts:
        context.close()
    assert faults == []


def faults_of(page: Any) -> list[str]:
    """Return what axe finds on a page: rule, place, and what to do."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the browser tests need Chromium and axe")
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{page.url.split('/')[-1]}: {rule['id']} at {node['target']}: {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def pages_of(site: Path) -> list[str]:
    """Return the pages; of the generated ones of settings, which are alike, only some."""
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    kept = [name for name in names if "settings-" not in name or name.endswith(("data.html", "model.html"))]
    kept.remove("404.html")  # only a server shows it: its addresses begin with /
    assert len(kept) > 35
    return kept


def test_pages_are_accessible_and_fit_a_phone(site: Path, visit: Open) -> None:
    faults = []
    for name in pages_of(site):
        page = visit(name, viewport=PHONE, color_scheme="light")
        faults += faults_of(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{name} is {width} pixels wide"] * (width > PHONE["width"])
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", ["index.html", "failures.html", "reference/api.html"])
def test_the_dark_form_is_accessible_on_a_desk(name: str, visit: Open) -> None:
    assert faults_of(visit(name, viewport=DESK, color_scheme="dark")) == []


def test_a_fault_would_be_found(visit: Open) -> None:
    page = visit("index.html", viewport=DESK)
    page.evaluate("document.querySelector('img').removeAttribute('alt')")
    assert any("image-alt" in fault for fault in faults_of(page))


def test_the_search_works_from_a_folder(visit: Open) -> None:
    page = visit("index.html", viewport=DESK)
    page.keyboard.press("/")
    page.keyboard.type("polyphase tail")
    hit = page.locator("a", has_text="polyphase").locator("visible=true").first
    hit.wait_for(timeout=20_000)
    hit.click()
    page.wait_for_url("**/line.html*")
