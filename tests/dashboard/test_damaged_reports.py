"""Reports that are damaged inside: each value replaced by one of another kind, read by the report and the dashboard."""

import copy
import io
import json
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from sr.dashboard.content import content
from sr.report.command import tables_of
from sr.report.plane import plane
from sr.report.render import print_tables
from sr.report.runs import find_runs
from sr.report.sparsity import sparsity_tables
from sr.report.summary import flat_numbers

REPLACEMENTS = (None, "text", -5, [1], {"a": {"b": 1}})
ROUNDS = [{"sparsity": sparsity, "psnr_y_db": 30.0, "iterations": 10, "curve": [[5, 29.0]]} for sparsity in (0.0, 0.5)]
MORE = {
    "config": {
        "export": {"size": "1080p"},
        "init": "outputs/x/y/float/weights.safetensors",
        "task": {"_target_": "sr.tasks.distillation.Distillation", "teacher": {"source": "pretrained/x"}},
        "data": {"root": "images", "sources": [{"path": "train"}]},
    },
    "training": {"rounds": ROUNDS},
    "export": {
        "size": "1080p",
        "engines": {"openvino": {"latency": {"median_ms": 3.0}}, "litert": {"latency_ms": 2.0}},
        "closeness": [{"first": "crd", "second": "simulation", "holds": True}],
        "files": {"net.onnx": {"sha256": "f00d", "size_kib": 1.0}},
    },
}


def paths_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside plain containers; of a list only those of its first element."""
    if path:
        yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, part in parts:
        yield from paths_in(part, (*path, key))


def with_value(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of plain containers with another value at a path."""
    made = copy.deepcopy(value)
    place = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = new
    return made


def test_a_damaged_value_is_shown_or_its_run_is_broken_and_no_other(tmp_path, make_run, make_score):
    scores = {"set5": make_score(31.0, niqe=4.5)}
    folder = make_run(run="damaged", quality={"bicubic": scores, "float": scores, "simulated": scores})
    whole = json.loads((folder / "report.json").read_text())
    for part, more in MORE.items():
        whole[part] |= more
    (make_run(run="whole", quality={"float": scores}) / "report.json").write_text(json.dumps(whole))
    found = set()
    for path in paths_in(whole):
        if path[:2] == ("quality", "bicubic"):
            continue  # as the other stages
        for new in REPLACEMENTS:
            (folder / "report.json").write_text(json.dumps(with_value(whole, path, new)))
            damaged, other = find_runs([tmp_path])
            found.add(damaged.status)
            assert other.status == "finished", (path, new)
            assert damaged.status == "finished" or path[0] in damaged.error, (path, new, damaged.error)
            runs = [damaged, other]
            print_tables(tables_of(runs, compare=False, fold_seeds=True), "json", Console(file=io.StringIO()))
            assert content(runs, [tmp_path])["slices"]  # with the comparison, as texts
            assert flat_numbers(other.report) and plane(runs) and sparsity_tables(runs)
            assert damaged.report is None or flat_numbers(damaged.report) is not None
    assert found == {"finished", "broken"}
