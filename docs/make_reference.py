"""Write the generated pages of the site into docs/reference/: settings, commands, Python API, report."""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

from sr.api import functions, loaded
from sr.config.kinds import Anything, Kind, Many, Named, Optional
from sr.console import usage
from sr.report.record import Report
from sr.report.record_shape import REPORT_KINDS, Open

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ("report", "results", "dashboard", "doctor", "bench", "upscale", "api", "phone", "pretrained", "data")
SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Yields")
KEY = re.compile(r"^(?P<indent> *)(?P<key>[\w@/.]+):(?: (?P<value>[^#]*?))?\s*(?:# (?P<comment>.*))?$")


def pages() -> dict[str, str]:
    """Return the generated pages by file name."""
    groups = sorted(path for path in (ROOT / "conf").iterdir() if path.is_dir())
    made = {f"settings-{group.name}.md": settings_page(group) for group in groups}
    top = "\n\n".join(settings_table(ROOT / "conf" / name) for name in ("config.yaml", "image_data.yaml"))
    listed = "\n".join(f"- [`{group.name}`](settings-{group.name}.md)" for group in groups)
    made["settings.md"] = (
        "# Settings\n\nEvery value stands once, in `conf/`; these pages are made from its comments. Choose a file of a "
        f"group with `group=file`, and set a key with `key=value`.\n\n## Groups\n\n{listed}\n\n{top}\n"
    )
    made["commands.md"] = commands_page()
    made["api.md"] = api_page()
    made["report.md"] = (
        "# report.json\n\nA run folder with this file is finished. It is written last, and atomically. Numbers that "
        'JSON lacks are the texts "inf", "-inf" and "nan".\n\n'
        + docstring_markdown(inspect.getdoc(Report) or "")
        + "\n\n## What a reader checks\n\nA report with another kind of value at these keys is refused by the message "
        "that names the key. `*` stands for any name, and `[]` for each item of a list. Any other key may stand beside "
        "them.\n\n| key | kind |\n|---|---|\n"
        + "".join(
            f"| `{key}` | {cell(kind)} |\n" for name in REPORT_KINDS for key, kind in kinds_of(name, REPORT_KINDS[name])
        )
    )
    return made


def settings_page(group: Path) -> str:
    """Return the page of a group of the configuration."""
    files = sorted(group.rglob("*.yaml"))
    return f"# {group.name}\n\n" + "\n\n".join(settings_table(path) for path in files) + "\n"


def settings_table(path: Path) -> str:
    """Return the keys of a YAML file with their values and comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    intro = " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))
    rows = [
        f"| `{key}` | {f'`{cell(value)}`' if value else ''} | {cell(comment)} |"
        for key, value, comment in keys_of(lines)
    ]
    table = ["| key | value | meaning |", "|---|---|---|", *rows] if rows else []
    name = path.relative_to(ROOT / "conf").with_suffix("").as_posix()
    return "\n".join([f"## {name}", "", *([cell(intro), ""] if intro else []), *table])


def keys_of(lines: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield dotted key, value and comment of each line that has a key.

    >>> list(keys_of(["train:", "  chunk: 10  # per step"]))
    [('train', '', ''), ('train.chunk', '10', 'per step')]
    """
    path: list[tuple[int, str]] = []
    for line in lines:
        if not (found := KEY.match(line)):
            continue
        indent = len(found["indent"])
        path = [(depth, key) for depth, key in path if depth < indent] + [(indent, found["key"])]
        yield ".".join(key for _, key in path), (found["value"] or "").strip(), found["comment"] or ""


def kinds_of(key: str, kind: Kind, suffix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the dotted keys below a key of a report, each with its kind in words."""
    if isinstance(kind, Optional):
        yield from kinds_of(key, kind.kind, f"{suffix}, or null")
    elif isinstance(kind, Many):
        yield key, f"list{f' of {kind.length}' if kind.length else ''}{suffix}"
        yield from kinds_of(f"{key}[]", kind.item)
    elif isinstance(kind, Named | Open):
        needs = ", ".join(f"`{name}`" for name in getattr(kind, "required", ()))
        yield key, f"mapping{suffix}{f'; needs {needs}' if needs else ''}"
        for name, inner in dict(kind.fields).items():
            yield from kinds_of(f"{key}.{name}", inner)
        if isinstance(kind, Named) and kind.item is not None and not isinstance(kind.item, Anything):
            yield from kinds_of(f"{key}.*", kind.item)
    elif not isinstance(kind, Anything):
        needs = ", ".join(f"`{name}`" for name in getattr(kind, "required", ()))
        words = (inspect.getdoc(kind) or "").split(";")[0].split(".")[0]
        yield key, f"{words[0].lower()}{words[1:]}{suffix}{f'; needs {needs}' if needs else ''}"


def cell(text: str) -> str:
    """Return a text that can stand in a cell of a table."""
    return text.replace("|", "\\|").replace("<", "&lt;") if "`" in text or "<" in text else text.replace("|", "\\|")


def commands_page() -> str:
    """Return the help of all commands."""
    parts = [f"# Commands\n\n```text\n{usage()}\n```\n"]
    for name in COMMANDS:
        parser = importlib.import_module(f"sr.{name}.command").parser()
        parts.append(f"## {parser.prog}\n\n```text\n{parser.format_help().strip()}\n```\n")
    return "\n".join(parts)


def api_page() -> str:
    """Return the functions of `sr` with their docstrings."""
    parts = ["# Python API\n\nTensors are RGB, float, in [0, 1] and NCHW; arrays are (H, W, 3) uint8.\n"]
    for name in ("load", "evaluate", "quantize", "export"):
        function: Callable[..., object] = getattr(loaded if name == "load" else functions, name)
        signature = str(inspect.signature(function)).replace("'", "")
        text = docstring_markdown(inspect.getdoc(function) or "")
        parts.append(f"## sr.{name}\n\n```python\nsr.{name}{signature}\n```\n\n{text}\n")
    return "\n".join(parts)


def docstring_markdown(text: str) -> str:
    r"""Return a google docstring as Markdown: sections as headings, their entries as lists, examples as code.

    >>> print(docstring_markdown("Add.\n\nArgs:\n    a: One\n        number."))
    Add.
    <BLANKLINE>
    **Args**
    <BLANKLINE>
    - `a`: One number.
    """
    text = re.sub(r"(?m)^( *>>>[^\n]*(?:\n(?! *$)[^\n]*)*)", lambda found: f"```pycon\n{dedent(found[1])}\n```", text)
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        word = line.rstrip(":")
        if line.endswith(":") and word in (*SECTIONS, "Example"):
            lines += [f"**{word}**", ""]
            inside = word in SECTIONS
        elif inside and (found := re.match(r"^    (\w+): (.*)$", line)):
            lines.append(f"- `{found[1]}`: {found[2]}")
        elif inside and line.startswith("    ") and lines[-1]:
            lines[-1] += f" {line.strip()}"
        elif inside and line.strip():
            lines.append(line.strip())
        else:
            lines.append(line)
    return "\n".join(lines)


def main() -> None:
    """Write all pages; those of before are removed."""
    folder = ROOT / "docs/reference"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
    print(f"{folder}: {len(list(folder.glob('*.md')))} pages")


if __name__ == "__main__":
    main()
