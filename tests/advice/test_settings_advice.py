"""What a message about settings advises is typed, and the run then gets as far as the training: `settings.txt`.

A row is `wrong overrides => part of the message, as it stands in the code => advice | other advice`.
"""

import re
import shlex
import sys
from pathlib import Path

import lightning
import numpy as np
import pytest
from PIL import Image

from sr.experiment import compose, made
from sr.job import start
from sr.models.blocks import inference_form
from sr.models.weights import FLOAT_WEIGHTS, save_weights

ROWS = [
    line.split(" => ") for line in Path(__file__).with_name("settings.txt").read_text(encoding="utf-8").splitlines()
]
CASES = [(wrong, message, advice) for wrong, message, every in ROWS for advice in every.split(" | ")]
COMMON = "data=folder data.root={images} data.heldout_every=3 data.lr_patch=16 data.batch_size=2 train.iterations=20"


class TrainingBeganError(Exception):
    """A command line got as far as the training."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of small pictures, and a run of another scale."""
    root = tmp_path_factory.mktemp("advice")
    noise = np.random.default_rng(0)
    sizes = {"images": (96, 9), "images/(1)": (96, 9), "other": (96, 1), "small": (24, 1), "sets/set_a": (96, 1)}
    for name, (side, number) in sizes.items():
        (root / name).mkdir(parents=True)
        for index in range(number):
            Image.fromarray(noise.integers(0, 256, (side, side, 3), np.uint8)).save(root / name / f"{index}.png")
    (root / "sets/seen").mkdir()
    (root / "sets/seen/0.png").write_bytes((root / "images/0.png").read_bytes())
    config = compose(["scale=4", "logger=none"])
    save_weights(made(config.model), root / "x4" / FLOAT_WEIGHTS, {"config": {"model": dict(config.model)}})
    save_weights(inference_form(made(compose(["logger=none"]).model)), root / "inference" / FLOAT_WEIGHTS, {})
    return {name: (root / name).as_posix() for name in ("images", "other", "small", "sets", "x4", "inference")}


@pytest.fixture
def answer(places, tmp_path, monkeypatch, capsys):
    """Function from overrides to what a run with them prints on stderr."""

    def fit(*_, **__):
        raise TrainingBeganError

    def answered(overrides: str, folder: str) -> str:
        for name, path in places.items():
            overrides = overrides.replace(f"{{{name}}}", path)
        overrides += " callbacks=train_only" * (not re.search("quantization|export|callbacks", overrides))
        arguments = [*shlex.split(COMMON.replace("{images}", places["images"])), *shlex.split(overrides)]
        arguments = list({text.partition("=")[0]: text for text in arguments}.values())  # the last one of a key wins
        arguments += [f"hydra.run.dir={tmp_path / folder}"] + ["logger=none"] * ("logger=" not in overrides)
        monkeypatch.setenv("HYDRA_FULL_ERROR", "0")  # `start` sets it for Hydra
        monkeypatch.setattr(sys, "argv", ["sr.run", *arguments])
        try:
            status = start(arguments)
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr().err
        return said if status else "finished"

    monkeypatch.setattr(lightning.Trainer, "fit", fit)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    return answered


@pytest.mark.parametrize(("wrong", "message", "advice"), CASES, ids=[f"{case[0]} -> {case[2]}" for case in CASES])
def test_the_advice_leads_to_the_training(wrong, message, advice, answer):
    said = answer(wrong, "wrong")
    assert "TrainingBegan" not in said and said != "finished"
    if "{" not in message:
        assert message in said
    said = answer(advice, "right")
    assert "TrainingBegan" in said or said == "finished", said
