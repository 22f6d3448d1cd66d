"""What all stages after training share: done once, in order, each leaving a file that the next one reads."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import SIGTERMException
from rich.console import Console

from sr.callbacks.sigterm import stopping_at_once
from sr.data.module import ImageData
from sr.models.net import Net
from sr.runs.files import read_json, sha256, write_json
from sr.tasks.regression import Regression

CallbackT = TypeVar("CallbackT", bound=Callback)


def data_of(trainer: Any) -> ImageData:
    """The run's images; Lightning's types do not say that a trainer has them."""
    return trainer.datamodule


def callbacks_of(trainer: Any, kind: type[CallbackT]) -> list[CallbackT]:
    """The run's callbacks of one kind; Lightning's types do not say that a trainer has them."""
    return [callback for callback in trainer.callbacks if isinstance(callback, kind)]


class Stage(Callback):
    """Work after the fit, in `on_fit_end`: that hook also comes when a run with finished training is resumed.

    A subclass names its `result` (JSON, written last), its `sources`, and what it `also` reads where that is there, all
    relative to the run folder, and does its work in `work`. The result holds their hashes: while they still have them,
    it is kept.
    """

    result: str
    sources: tuple[str, ...]
    also: tuple[str, ...] = ()

    def check(self, net: Net) -> None:
        """Refuse by a ValueError, before anything is decoded or trained, what `work` would refuse of the net."""

    def work(self, trainer: lightning.Trainer, task: Regression, folder: Path) -> dict[str, Any]:
        """Do the work; what is returned goes into the result file."""
        raise TypeError(f"{type(self).__name__} does not say what it does: define `work`")

    def on_fit_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Do the work unless training was stopped early, or the result is there and up to date.

        Raises:
            ValueError: a source is missing because its stage is not among the callbacks.
        """
        if trainer.global_step < trainer.max_steps:
            return
        if trainer.received_sigterm:
            raise SIGTERMException
        folder = Path(trainer.default_root_dir)
        if missing := [source for source in self.sources if not (folder / source).is_file()]:
            raise ValueError(
                f"stage {self.title} needs {missing} in {folder}; the stage that writes it is not in `callbacks`"
            )
        present = (*self.sources, *(source for source in self.also if (folder / source).is_file()))
        hashes = {source: sha256(folder / source) for source in present}
        if (folder / self.result).is_file() and read_json(folder / self.result)["sources"] == hashes:
            return
        Console().print(f"[bold]{self.title}[/bold] -> {self.result}", highlight=False)
        started = time.perf_counter()
        assert isinstance(task, Regression)
        with stopping_at_once():
            outcome = self.work(trainer, task, folder)
        write_json(
            folder / self.result, {**outcome, "sources": hashes, "seconds": round(time.perf_counter() - started, 3)}
        )

    @property
    def title(self) -> str:
        """The stage's name for the screen and for reports."""
        return type(self).__name__.lower()


def check_stages(callbacks: Iterable[Callback], task: Regression, folder: Path) -> None:
    """Let the stages that are not done refuse now what they would refuse after the training, if there is any."""
    if any(parameter.requires_grad for parameter in task.parameters()):
        for each in callbacks:
            if isinstance(each, Stage) and not (folder / each.result).is_file():
                each.check(task.trained_net())
