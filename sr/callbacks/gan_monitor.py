"""Is adversarial training still a game?"""

import logging
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

log = logging.getLogger(__name__)

ADVICE = {
    "tells every image apart": "the generator learns nothing from it any more; lower task.discriminator_optimizer.lr "
    "or task.discriminator_updates, or choose another task/discriminator",
    "tells nothing apart": "its loss is without meaning; raise task.discriminator_optimizer.lr or "
    "task.discriminator_updates",
}


class GanMonitor(Callback):
    """Warn, with the figures, once a discriminator has been all too sure or quite unsure for so many iterations.

    Args:
        patience: iterations.
        sure: it tells every image apart where D(real) > `sure` and D(fake) < 1 - `sure`.
        unsure: it tells nothing apart where D(real) - D(fake) < `unsure`.
    """

    def __init__(self, *, patience: int, sure: float, unsure: float) -> None:
        self.patience, self.sure, self.unsure = patience, sure, unsure
        self._state, self._since = "", 0

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Look at the newest chunk."""
        figures = trainer.callback_metrics
        if "train/d_real" not in figures:
            return
        real, fake = float(figures["train/d_real"]), float(figures["train/d_fake"])
        state = self.state_of(real, fake)
        if state != self._state:
            self._state, self._since = state, trainer.global_step
        if state and 0 <= self._since <= trainer.global_step - self.patience:
            log.warning(
                "the discriminator %s: D(real) %.3f, D(fake) %.3f since iteration %d; %s",
                state, real, fake, self._since, ADVICE[state],
            )  # fmt: skip
            self._since = -1  # said once, until it changes

    def state_of(self, real: float, fake: float) -> str:
        """What is wrong with a discriminator, in the words of `ADVICE`; empty where nothing is."""
        if real > self.sure and fake < 1 - self.sure:
            return "tells every image apart"
        return "tells nothing apart" if abs(real - fake) < self.unsure else ""
