"""One HTML file that needs nothing else: its data, its code, the chart library, and the pictures."""

import base64
import functools
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

from sr.dashboard.run_deltas import without_repetition

PARTS = Path(__file__).parent / "page"
SCRIPTS = (
    "dom", "charts", "table", "filter", "compare", "training", "run", "sensitivity", "pixels", "lens", "pictures",
    "first", "app",
)  # fmt: skip


def render(content: dict[str, Any], pictures: list[dict[str, Any]]) -> str:
    """Write the page.

    Only scripts whose hashes the page's own policy names may run, so that a name in a run folder that looks like markup
    stays text even if a view should forget to treat it so.

    Args:
        content: as `content` makes it.
        pictures: as `pictures` makes them.

    Raises:
        ValueError: a number that JSON lacks.
    """
    vega, code = chart_library(), _script(_code())
    policy = (
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; "
        # Charts turn their expressions into functions, which is what 'unsafe-eval' allows; it allows no markup.
        f"form-action 'none'; script-src 'unsafe-eval' {_hash(vega)} {_hash(code)}"
    )
    filling = {
        "policy": policy,
        "title": html.escape(f"{content['title']} - sr"),
        "style": (PARTS / "style.css").read_text(encoding="utf-8"),
        "content": embedded(without_repetition(content)),
        "pictures": embedded(pictures),
        "vega": vega,
        "code": code,
    }
    template = (PARTS / "page.html").read_text(encoding="utf-8")
    return re.sub(r"@(\w+)@", lambda found: filling[found[1]], template)


def embedded(value: Any) -> str:
    """Return JSON for a script element; no text in it can end the element or begin a comment.

    >>> embedded("</script>")
    '"\\\\u003c/script\\\\u003e"'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@functools.cache
def chart_library() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script of about 0.9 MB, from the wheel of vl-convert.

    Raises:
        ValueError: the wheel is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise ValueError(f"the dashboard needs vl-convert-python ({error}); pip install vl-convert-python") from error
    return _script(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


def _code() -> str:
    """Join the page's own scripts."""
    return "\n".join((PARTS / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


def _script(text: str) -> str:
    """Escape a script so that it cannot end its element early."""
    return re.sub(r"<(?=/script|!--)", r"\\x3c", text, flags=re.IGNORECASE)


def _hash(script: str) -> str:
    """Return the hash of a script for the content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
