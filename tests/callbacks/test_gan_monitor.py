"""The warning about a discriminator that plays no more, with its figures, once."""

import logging
from types import SimpleNamespace

import pytest
import torch

from sr.callbacks.gan_monitor import GanMonitor


def play(health, figures, caplog):
    """Chunks of ten iterations; returns what was said."""
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        for step, (real, fake) in enumerate(figures):
            metrics = {"train/d_real": torch.tensor(real), "train/d_fake": torch.tensor(fake)}
            health.on_train_batch_end(SimpleNamespace(callback_metrics=metrics, global_step=10 * (step + 1)))
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("pair", "words"),
    [((0.998, 0.003), "tells every image apart: D(real) 0.998, D(fake) 0.003"), ((0.5, 0.501), "tells nothing apart")],
)
def test_says_once_what_lasts(pair, words, caplog):
    said = play(GanMonitor(patience=50, sure=0.99, unsure=0.005), [(0.7, 0.3)] + [pair] * 20, caplog)
    assert len(said) == 1 and words in said[0] and "since iteration 20; " in said[0] and "lr" in said[0]


def test_says_nothing_of_a_game_or_of_a_moment(caplog):
    health = GanMonitor(patience=50, sure=0.99, unsure=0.005)
    assert play(health, [(0.7, 0.3), (0.999, 0.001), (0.999, 0.001), (0.8, 0.2)] * 10, caplog) == []
    health.on_train_batch_end(SimpleNamespace(callback_metrics={"train/loss": torch.tensor(0.1)}, global_step=10))
