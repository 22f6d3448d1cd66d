"""The page of a test's runs in headless Chromium, and how to read it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sr.dashboard.command import main

Open = Callable[..., Any]
READY = "document.querySelectorAll('.chart:not([data-ready]), .viewer:not([data-ready])').length === 0"


@pytest.fixture
def ready() -> Callable[[Any], None]:
    """Wait until everything on a page is drawn."""
    return lambda page: page.wait_for_function(READY)


@pytest.fixture
def names() -> Callable[[Any], list[str]]:
    """Names of the runs in a page's table, from top to bottom."""
    return lambda page: page.locator("table.runs tbody tr td:first-child a").all_inner_texts()


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Write the page of `tmp_path` and open it at an address; an error in its script fails the test."""
    contexts, errors = [], []

    def go(address: str = "", *, url: str = "", **settings: Any) -> Any:
        if not url:
            assert main([str(tmp_path), "--to", str(tmp_path / "page.html"), "--side", "0"]) == 0
            url = (tmp_path / "page.html").as_uri()
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | settings))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(url + address)
        page.wait_for_function(READY)
        return page

    yield go
    for context in contexts:
        context.close()
    assert errors == []
