"""The wheel: built, installed into an empty folder, it works from another folder, without the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TOP_LEVEL = (
    "conf",
    "sweeps",
    "constraints.txt",
    "sr",
    "hydra_plugins",
    "pyproject.toml",
    "setup.py",
    "README.md",
    "LICENSE",
)
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


@pytest.fixture(scope="module")
def site(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel installs, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy: a build leaves folders behind
    source.mkdir()
    for name in TOP_LEVEL:
        path = repo_root / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(path, source / name)
    build = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    subprocess.run([*PIP, *build], check=True)
    (wheel,) = folder.glob("sr_mobile-*.whl")
    target = folder / "site"
    subprocess.run([*PIP, "install", "--no-deps", "--target", str(target), str(wheel)], check=True)
    shutil.rmtree(source)
    return target


def installed(site: Path, folder: Path, *arguments: str, **variables: str) -> str:
    """Run Python in `folder` with the installed package; returns what it prints."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SR_")}
    environment |= {"PYTHONPATH": str(site), "SR_CACHE": str(folder / "cache"), **variables}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_every_config_file(site: Path, repo_root: Path) -> None:
    for name in ("conf", "sweeps"):
        here = {path.relative_to(repo_root) for path in (repo_root / name).rglob("*.yaml")}
        assert here == {path.relative_to(site / "sr") for path in (site / "sr" / name).rglob("*.yaml")} != set()
    assert (site / "hydra_plugins/sr_launcher.py").is_file()  # Hydra finds launchers in this package only
    assert (site / "sr/constraints.txt").read_bytes() == (repo_root / "constraints.txt").read_bytes()


def test_folders_are_those_of_the_user(site: Path, tmp_path: Path) -> None:
    code = "import sr.runs.folders as f; print(f.ROOT, f.outputs_root(), f.data_root(), sep='\\n')"
    assert installed(site, tmp_path, "-c", code).split() == [
        str(site / "sr"),
        str(tmp_path / "outputs"),
        str(tmp_path / "data"),
    ]
    assert f"\n{tmp_path}/elsewhere\n" in installed(site, tmp_path, "-c", code, SR_OUTPUTS=f"{tmp_path}/elsewhere")


def test_configs_sweeps_and_pretrained_nets_are_found(site: Path, tmp_path: Path) -> None:
    config = installed(site, tmp_path, "-m", "sr.run", "--cfg", "job", "sweeps=quicksrnet_depth")
    assert "_target_: sr.models.quicksrnet.QuickSRNet" in config
    assert "quicksrnet_small" in installed(site, tmp_path, "-m", "sr.pretrained")
    assert list(tmp_path.iterdir()) == []


def test_the_console_command_upscales_a_picture(site: Path, tmp_path: Path) -> None:
    (program,) = (site / "bin").glob("sr*")  # a program on Windows, a script elsewhere
    Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(tmp_path / "small.png")
    start = ["-m", "sr.console"] if program.suffix else [str(program)]
    installed(site, tmp_path, *start, "upscale", "small.png", "large.png")
    with Image.open(tmp_path / "large.png") as large:
        assert large.size == (60, 40)


def test_a_run_of_20_iterations_is_written_below_the_current_folder(site: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for index in range(4):
        pixels = np.random.default_rng(index).integers(0, 256, (96, 96, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(images / f"{index}.png")
    short = ["train.iterations=20", "train.validate_every=20", "quantization=fp32", "export=none"]
    small = ["model=quicksrnet", "model.f=8", "model.m=1", "data=folder", f"data.root={images}", "data.lr_patch=16"]
    small += ["data.heldout_every=2", "size=32x32", "callbacks=train_only"]
    installed(site, tmp_path, "-m", "sr.run", *short, *small)
    (report,) = tmp_path.glob("outputs/main/*/report.json")
    assert report.with_name("config.yaml").is_file()
