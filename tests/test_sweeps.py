"""Every sweep expands; each of its jobs composes, can be built and shortened; two jobs of one truly run."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import torch
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf
from torchvision.models import vgg19

from sr.config.composition import pixel_overrides
from sr.config.validation import check_settings
from sr.experiment import build, compose, made
from sr.models.blocks import inference_form
from sr.models.weights import save_weights
from sr.pretrained.catalogue import weights_path
from sr.report.runs import find_runs
from sr.runs.folders import run_name

ROOT = Path(__file__).resolve().parents[1]
SWEEPS = sorted(path.stem for path in (ROOT / "sweeps").glob("*.yaml"))
RECIPES = sorted(path.stem for path in (ROOT / "conf/recipe").glob("*.yaml"))
HEADER = re.compile(r"# @package _global_\n# Question: .+\?.*\n(#   .+\n)*# Jobs: \d+\n# Cost: .+\.\n", re.MULTILINE)
BUILT: set[str] = set()


@cache
def jobs(name: str) -> list[list[str]]:
    """The overrides of each job, as Hydra's sweeper makes them."""
    params = compose([f"sweeps={name}"], with_hydra=True).hydra.sweeper.params
    overrides = OverridesParser.create().parse_overrides([f"{key}={value}" for key, value in params.items()])
    return [list(job) for job in BasicSweeper.split_arguments(overrides, max_batch_size=None)[0]]


def build_once(config: DictConfig, borrowed: Path) -> None:
    """Make the task (with its net, loss and optimizer) and the data, as a run would; no image is read."""
    check_settings(config)
    parts = ("model", "task", "loss", "optimizer", "scheduler", "data")
    if "perceptual" in config.task:
        config.task.perceptual.weights = str(random_vgg19(borrowed))
    if "teacher" in config.task:
        config.task.teacher.source = random_teacher(config, borrowed)
    key = json.dumps([OmegaConf.to_container(config[part], resolve=True) for part in parts])
    if key not in BUILT:
        build(config)
        BUILT.add(key)


@pytest.fixture(scope="session")
def borrowed() -> Iterator[Path]:
    """A folder for weights that are not shipped, removed at the end: pytest keeps its own of several sessions."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def random_vgg19(folder: Path) -> Path:
    """A weights file of 80 MB."""
    path = folder / "vgg19.pt"
    if not path.exists():
        features = vgg19(weights=None).features.state_dict()
        torch.save({f"features.{name}": value for name, value in features.items()}, path)
    return path


def random_teacher(config: DictConfig, folder: Path) -> str:
    """What a run of the student's own model would leave: such a sweep is given its teacher on the command line."""
    path = folder / "teacher.safetensors"
    model = OmegaConf.to_container(config.model, resolve=True)
    save_weights(inference_form(made(config.model)), path, {"config": {"model": model}})
    return str(path)


def test_there_are_sweeps():
    assert len(SWEEPS) > 10


@pytest.mark.parametrize("name", SWEEPS)
def test_sweep_says_question_jobs_and_cost_in_few_lines(name):
    text = (ROOT / "sweeps" / f"{name}.yaml").read_text()
    assert HEADER.match(text), "it opens with question, number of jobs and cost"
    assert f"\nexperiment: {name}\n" in text
    assert len(text.splitlines()) <= 30
    assert f"`{name}`" in (ROOT / "sweeps/README.md").read_text(), "the table of sweeps lists it"
    assert f"# Jobs: {len(jobs(name))}\n" in text, f"the header of {name} should say {len(jobs(name))} jobs"


@pytest.mark.parametrize("name", SWEEPS)
def test_every_job_composes_and_can_be_built(name, borrowed):
    folders = set()
    for job in jobs(name):
        config = compose([f"sweeps={name}", *job])
        init = str(OmegaConf.to_container(config)["init"])
        if "hydra:" in init:  # a run puts in the name of its net, whose weights are in the package
            choices = compose([f"sweeps={name}", *job], with_hydra=True).hydra.runtime.choices
            config.init = init.replace("${hydra:runtime.choices.model}", choices.model)
            assert weights_path(config.init, config.scale)
        assert config.experiment == name
        if str(config.init).startswith("outputs/"):  # of a run that has to be there first
            config.init = None
        build_once(config, borrowed)
        folders.add(run_name([f"sweeps={name}", *job]))
    assert len(folders) == len(jobs(name)), "each job has a folder of its own"


@pytest.mark.parametrize("name", SWEEPS)
def test_a_budget_shortens_every_sweep_with_its_schedule(name):
    job = jobs(name)[-1]
    whole, short = (compose([f"sweeps={name}", *job, f"train.budget={budget}"]) for budget in (1, 0.001))
    if not whole.train.iterations:  # nothing is trained
        assert (whole.trainer.max_steps, short.trainer.max_steps) == (0, 0)
        return
    assert short.trainer.max_steps == max(1, round(whole.train.iterations / 1000))
    assert whole.trainer.max_steps == whole.train.iterations
    check_schedule(whole, short)


@pytest.mark.parametrize(
    ("recipe", "iterations", "halved_every"),
    [
        ("quicksrnet", 1_000_000, 200_000),
        ("abpn", 1_000_000, 200_000),  # 1000 and 200 epochs of 800 images x 20 crops / batch of 16
        ("sesr", 480_000, None),  # 300 epochs of 800 images x 64 crops / batch of 32
        ("sesr_short", 5000, None),
        ("xlsr", 250_000, None),  # 5000 epochs of 800 images / batch of 16
        ("edsr", 300_000, 200_000),
        ("fsrcnn", 500_000, None),
        ("srgan_pixel", 1_000_000, None),
        ("srgan", 200_000, 100_000),
        ("esrgan_pixel", 1_000_000, 200_000),
        ("esrgan", 400_000, None),
        ("gan_mobile", 400, None),
    ],
)
def test_recipes_have_the_length_of_their_sources_and_shorten(recipe, iterations, halved_every):
    whole, short = (compose([f"recipe={recipe}", f"train.budget={budget}"]) for budget in (1, 0.01))
    assert (whole.trainer.max_steps, short.trainer.max_steps) == (iterations, iterations // 100)
    assert whole.scheduler.get("step_size") == halved_every
    check_schedule(whole, short)
    assert compose([f"recipe={recipe}", "train.epoch_images=400"]).trainer.max_steps == (
        iterations // 2 if recipe in ("abpn", "sesr", "xlsr") else iterations
    ), "recipes of epochs follow the number of images"


def test_every_recipe_is_tested():
    assert RECIPES == [
        "abpn", "camera", "edsr", "esrgan", "esrgan_pixel", "fsrcnn", "gan_mobile", "quicksrnet", "sesr", "sesr_short",
        "srgan", "srgan_pixel", "stream", "xlsr",
    ]  # fmt: skip


@pytest.mark.parametrize("recipe", ["srgan", "esrgan", "gan_mobile"])
def test_the_pixel_run_of_an_adversarial_recipe_composes(recipe):
    own = [f"recipe={recipe}", "init=pixel", "blend=x", "task.content_weight=1"]
    first = compose(pixel_overrides(own, compose(own).pixel))
    assert first.task._target_.endswith("Regression") and first.init is None and first.blend is None


def test_every_trick_is_tried():
    tried = {override for job in jobs("recipe_tricks") for override in job if override.startswith("trick=")}
    assert tried == {f"trick={path.stem}" for path in (ROOT / "conf/trick").glob("*.yaml")}


@pytest.mark.parametrize("iterations", [1, 5, 99, 100, 101])
def test_the_one_cycle_of_xlsr_takes_any_length(iterations):
    task, _ = build(compose(["recipe=xlsr", "model=xlsr", "loss=l1", f"train.iterations={iterations}"]))
    made = task.configure_optimizers()
    for _ in range(iterations):
        made["optimizer"].step()
        made["lr_scheduler"].step()


def check_schedule(whole: DictConfig, short: DictConfig) -> None:
    """A schedule is shortened by the same factor as the training."""
    for key in ("step_size", "T_max", "total_steps"):
        if key in whole.scheduler:
            share = short.scheduler[key] / whole.scheduler[key]
            assert share == pytest.approx(short.trainer.max_steps / whole.trainer.max_steps, rel=0.01)


TINY = [
    "data=photos", "train.iterations=4", "train.chunk=2", "train.validate_every=4", "train.precision=fp32",
    "data.batch_size=2", "data.lr_patch=16", "data.val_images=1", "data.val_crop=96",
    "size=32x32", "callbacks.cost.num_repeats=1", "logger=none",
]  # fmt: skip


def test_two_jobs_of_a_sweep_run_one_of_them_untrained(tmp_path):
    command = [sys.executable, "-m", "sr.run", "sweeps=quicksrnet_table5", "model=fsr1,quicksrnet_small"]
    command += [*TINY, "data.test=[]", "train.budget=0.5", f"hydra.sweep.dir={tmp_path}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = {run.report.config["model"]["_target_"].rpartition(".")[2]: run.report for run in find_runs([tmp_path])}
    assert runs.keys() == {"FSR1", "QuickSRNet"}
    assert {name: report.training["iterations"] for name, report in runs.items()} == {"FSR1": 0, "QuickSRNet": 2}
    assert runs["QuickSRNet"].training["budget"] == 0.5, "the report says that the recipe was shortened"
    scores = {name: report.quality["float"]["heldout"]["psnr_y_db"] for name, report in runs.items()}
    assert scores["FSR1"] > 30 and scores["QuickSRNet"] > 10
    assert "no optimizer" not in done.stdout + done.stderr, "a net without weights is no cause for warnings"
