"""No line of the package reads a file in a way that can run what the file says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FORBIDDEN = {
    "eval", "exec", "__import__", "compile", "os.system", "os.popen", "os.execv",
    "pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load", "shelve.open", "marshal.loads", "dill.load",
    "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "hydra.utils.instantiate", "instantiate", "hydra.utils.call",
    "get_class", "get_method", "get_object", "pydoc.locate", "torch.hub.load", "torch.jit.load", "torch.package",
    "load_from_checkpoint", "numpy.load", "pandas.read_pickle", "shutil.unpack_archive", "tarfile.open",
}  # fmt: skip
BY_NAME = {
    "sr/config/targets.py",
    "sr/doctor/environment.py",
    "sr/runs/entry.py",
    "sr/export/litert/interpreter.py",
    "sr/bench/command.py",
    "sr/evaluation/__init__.py",
}
"""Modules that import by a name in a variable: one looks it up in a list, in the others the names stand in the code."""


def calls(root: Path) -> Iterator[tuple[str, str, ast.Call]]:
    files = sorted((root / "sr").rglob("*.py"))
    assert len(files) > 200
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path.relative_to(root).as_posix(), ast.unparse(node.func), node


def true(call: ast.Call, name: str) -> bool:
    return any(each.arg == name and ast.unparse(each.value) == "True" for each in call.keywords)


def test_nothing_unpickles_or_imports_what_a_file_says(repo_root: Path):
    found = []
    for path, name, call in calls(repo_root):
        last, given = name.split(".")[-1], {each.arg for each in call.keywords}
        resumes = last in ("fit", "validate", "test", "predict") and "ckpt_path" in given  # of a Lightning trainer
        unpickles = (name == "torch.load" or resumes) and not true(call, "weights_only")
        if name in FORBIDDEN or last == "load_from_checkpoint" or unpickles:
            found.append(f"{path}:{call.lineno}: {name}")
        if name == "yaml.load" and not {"kind"} & {ast.unparse(each) for each in call.args}:
            found.append(f"{path}:{call.lineno}: {name} without the safe loader")
        if "shell" in given or "allow_pickle" in given:
            found.append(f"{path}:{call.lineno}: {name}")
    assert found == []


def test_only_listed_modules_import_by_name(repo_root: Path):
    found = {
        path
        for path, name, call in calls(repo_root)
        if name in ("importlib.import_module", "import_module") and not isinstance(call.args[0], ast.Constant)
    }
    assert found == BY_NAME


@pytest.mark.parametrize("text", ["x = torch.load(p)", "trainer.fit(task, ckpt_path=p)", "eval(text)"])
def test_the_check_sees_what_it_forbids(tmp_path: Path, text: str):
    (tmp_path / "sr").mkdir()
    for index in range(201):
        (tmp_path / f"sr/m{index}.py").write_text(text if index == 7 else "")
    with pytest.raises(AssertionError, match=r"sr/m7.py:1"):
        test_nothing_unpickles_or_imports_what_a_file_says(tmp_path)
