"""House rules about names, sizes and tests. Each exception list only shrinks: remove an entry once it is fixed."""

import ast
import io
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

NOT_UNIQUE_BY_DESIGN = {"__init__", "__main__", "command", "main", "run", "check", "parser"}
NOT_UNIQUE_BY_DESIGN |= {"evaluate", "load", "quantize"}  # functions of sr.api, named as what they call
MAX_CALLBACK_LINES = 40

TESTED_ELSEWHERE = {
    "building.py": "test_experiment.py",
    "callbacks/datamodule.py": "end_to_end/test_reuse.py",
    "config/sweep_failures.py": "end_to_end/test_multirun.py",
    "stages/evaluate.py": "end_to_end/test_reuse.py",
    "stages/export.py": "end_to_end/test_reuse.py",
    "stages/perceptual.py": "end_to_end/test_gan.py",
    "stages/plan.py": "end_to_end/test_reuse.py",
    "stages/quantize.py": "end_to_end/test_reuse.py",
    "stages/report.py": "stages/test_training.py",
    "stages/stage.py": "end_to_end/test_reuse.py",
    "stages/stage_images.py": "end_to_end/test_reuse.py",
    "stages/starts.py": "stages/test_training.py",
    "callbacks/throughput.py": "test_experiment.py",
    "callbacks/validation_images.py": "test_experiment.py",
    "config/launcher_schema.py": "launch/test_sweep.py",
    "config/ranges.py": "config/test_every_setting.py",
    "config/stage_schema.py": "config/test_every_setting.py",
    "config/training_schema.py": "config/test_every_setting.py",
    "dashboard/command.py": "dashboard/test_page.py",
    "dashboard/charts.py": "dashboard/test_figures.py",
    "dashboard/labels.py": "dashboard/test_figures.py",
    "dashboard/more_charts.py": "dashboard/test_figures.py",
    "dashboard/reference_points.py": "dashboard/test_rows.py",
    "dashboard/rounds.py": "dashboard/test_content.py",
    "report/run_labels.py": "dashboard/test_rows.py",
    "dashboard/specification.py": "dashboard/test_figures.py",
    "dashboard/theme.py": "dashboard/test_figures.py",
    "data/command.py": "data/test_cache_cleanup.py",
    "data/pixel_map.py": "data/test_cache.py",
    "data/video/frame_colors.py": "upscale/video/test_frame_pixels.py",
    "export/certificate/screen.py": "export/certificate/test_proof.py",
    "export/hexagon/width_bug.py": "export/hexagon/test_htp.py",
    "export/litert/builder.py": "export/litert/test_interpreter.py",
    "export/litert/flatbuffer.py": "export/litert/test_interpreter.py",
    "export/litert/lowering.py": "export/litert/test_interpreter.py",
    "export/litert/operators.py": "export/litert/test_interpreter.py",
    "export/kit/phone_kit.py": "phone/test_phone_run.py",
    "export/kit/phone_texts.py": "phone/test_phone_run.py",
    "export/kit_model.py": "phone/test_phone_run.py",
    "export/phone_models.py": "phone/test_phone_run.py",
    "functional/exact_rows.py": "functional/test_resize.py",
    "models/net.py": "models/test_every_model.py",
    **dict.fromkeys(
        (
            f"phone/{name}.py"
            for name in (
                "adb",
                "command",
                "phone_proof",
                "ncnn_on_phone",
                "phone_record",
                "phone_runtimes",
            )
        ),
        "phone/test_phone_run.py",
    ),
    "pretrained/command.py": "pretrained/test_pretrained.py",
    "pretrained/add.py": "pretrained/test_pretrained.py",
    "pretrained/card.py": "pretrained/test_pretrained.py",
    "pretrained/catalogue.py": "pretrained/test_pretrained.py",
    "pruning/filter_pruning.py": "pruning/test_run.py",
    "pruning/masks.py": "tasks/test_magnitude_pruning.py",
    "pruning/narrowed.py": "pruning/test_layer_removal.py",
    "pruning/refit.py": "pruning/test_layer_importance.py",
    "quantization/aimet.py": "quantization/test_simulation.py",
    "quantization/kept_result.py": "quantization/test_simulation.py",
    "quantization/plots.py": "quantization/test_layer_sensitivity.py",
    "quantization/qat_settings.py": "quantization/test_qat.py",
    "quantization/qat_task.py": "quantization/test_qat.py",
    "quantization/qat_training.py": "quantization/test_qat.py",
    "quantization/steps.py": "quantization/test_scheme.py",
    "quantization/weighted_layers.py": "quantization/test_gptq.py",
    "report/net_facts.py": "report/test_comparison.py",
    "report/training_facts.py": "report/test_record.py",
    "stages/pruning_costs.py": "pruning/test_run.py",
    "tasks/ema.py": "tasks/test_regression.py",
}
"""Module -> the test that covers it through its caller, or together with its neighbours."""


def modules(root: Path) -> list[Path]:
    found = sorted((root / "sr").rglob("*.py"))
    assert found
    return found


def public_names(path: Path) -> Iterator[str]:
    """Yield the functions, classes and constants that a module defines at its top level, loggers left out."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            targets = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            is_logger = isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "logging.getLogger"
            left = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [name.id for each in left for name in ast.walk(each) if isinstance(name, ast.Name)]
            targets = [] if is_logger else names
        else:
            continue
        yield from (name for name in targets if not name.startswith("_"))


def lines_of_code(path: Path) -> int:
    """Count the lines that hold code: docstrings, comments and blank lines are left out."""
    text = path.read_text(encoding="utf-8")
    docstrings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in layout
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - docstrings)


def shared(names: Iterator[tuple[str, Path]]) -> set[str]:
    """Return the names that more than one module has."""
    places: dict[str, set[Path]] = defaultdict(set)
    for name, path in names:
        places[name].add(path)
    return {name for name, paths in places.items() if len(paths) > 1} - NOT_UNIQUE_BY_DESIGN


def test_module_names_are_unique(repo_root):
    assert shared((path.stem, path) for path in modules(repo_root)) == set()


def test_public_names_are_unique(repo_root):
    found = shared((name, path) for path in modules(repo_root) for name in public_names(path))
    assert found == set(), "defined in two modules: choose a more precise name, or a private one"


def test_callbacks_are_thin(repo_root):
    lengths = {path.name: lines_of_code(path) for path in (repo_root / "sr" / "callbacks").glob("*.py")}
    assert lengths
    long = {name for name, count in lengths.items() if count > MAX_CALLBACK_LINES}
    assert long == set(), f"a callback has more than {MAX_CALLBACK_LINES} lines of code"


def test_every_module_has_a_test_of_its_name(repo_root):
    untested = set()
    for path in modules(repo_root):
        relative = path.relative_to(repo_root / "sr")
        if path.stem not in ("__init__", "__main__") and not [
            *(repo_root / "tests" / relative.parent).glob(f"test_{path.stem.strip('_')}*.py")
        ]:
            untested.add(relative.as_posix())
    assert untested - set(TESTED_ELSEWHERE) == set(), "add tests/<package>/test_<module>.py"
    assert set(TESTED_ELSEWHERE) - untested == set(), "has a test of its name by now: remove from TESTED_ELSEWHERE"


def test_modules_without_a_test_of_their_name_are_tested_where_the_list_says(repo_root):
    for module, test in TESTED_ELSEWHERE.items():
        assert (repo_root / "tests" / test).exists(), f"{module}: there is no tests/{test}"
