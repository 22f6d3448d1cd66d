"""A net with nothing to train passes through a Trainer, and leaves what the stages after training ask for."""

import lightning
from lightning.pytorch.callbacks import Callback

from sr.callbacks.untrained import Untrained, without_training
from sr.experiment import build, compose
from sr.models.weights import read_weights
from sr.runs.files import read_json


class Mark(Callback):
    """Notes that the end was reached."""

    reached = 0

    def on_fit_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        self.reached += 1


def test_fit_reaches_its_end_and_leaves_a_checkpoint_and_a_clock(tmp_path):
    mark = Mark()
    for start in (None, str(tmp_path / "checkpoints/last.ckpt")):  # a fresh run, and the same command again
        task, _ = build(compose(["model=fsr1"]))
        trainer = lightning.Trainer(
            default_root_dir=str(tmp_path), max_steps=0, callbacks=[Untrained(), mark], logger=False,
            accelerator="cpu", enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(task, train_dataloaders=[[]], ckpt_path=start)
    assert mark.reached == 2
    assert read_weights(tmp_path) == {}
    assert read_json(tmp_path / "training.json")["iterations"] == 0
    assert task.deployable().scale == 2


def test_what_quantizes_or_exports_weights_is_left_out():
    callbacks = {name: Mark() for name in ("throughput", "quantize", "export", "images", "report")}
    kept = without_training(callbacks)
    assert list(kept) == ["untrained", "throughput", "report"]
    assert kept["report"] is callbacks["report"]
