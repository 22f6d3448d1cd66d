"""What all stages after training share: done once, in order, each leaving a file that the next one reads."""

import time
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from rich.console import Console

from sr.rundir.files import is_newer, write_json
from sr.tasks.regression import Regression


class Stage(Callback):
    """Work after the fit, in `on_fit_end`: that hook also comes when a run with finished training is resumed.

    A subclass names its `result` (JSON, written last) and its `sources`, relative to the run folder, and does its work
    in `work`. A result newer than all its sources is kept.
    """

    result: str
    sources: tuple[str, ...]

    def work(self, trainer: lightning.Trainer, task: Regression, folder: Path) -> dict[str, Any]:
        """Do the work; what is returned goes into the result file."""
        raise TypeError(f"{type(self).__name__} does not say what it does: define `work`")

    def on_fit_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Do the work unless its result is there and up to date."""
        folder = Path(trainer.default_root_dir)
        result = folder / self.result
        if is_newer(result, *(folder / source for source in self.sources)):
            return
        Console().print(f"[bold]{type(self).__name__.lower()}[/bold] -> {self.result}", highlight=False)
        started = time.perf_counter()
        assert isinstance(task, Regression)
        outcome = self.work(trainer, task, folder)
        write_json(result, outcome | {"seconds": round(time.perf_counter() - started, 3)})
