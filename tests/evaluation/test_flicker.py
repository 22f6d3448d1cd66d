"""Flicker: of moving errors only, within a clip, and in the scores of clips."""

import numpy as np
import pytest

from sr.data.pairs import ImagePair
from sr.data.video.video_clips import ClipFrames
from sr.evaluation import evaluate
from sr.evaluation.flicker import Flicker
from sr.metrics import protocol

GREY = np.full((32, 32, 3), 100, np.uint8)


def test_only_an_error_that_changes_counts():
    steady, moving = Flicker(), Flicker()
    for number in range(4):
        steady.add(GREY + 10, GREY)
        moving.add((GREY + 10 * (number % 2)).astype(np.uint8), GREY)
    assert steady.mean() == 0
    assert moving.mean() == pytest.approx(10 * 219 / 255, rel=1e-4)


def test_two_clips_are_not_compared():
    flicker = Flicker()
    flicker.add(GREY, GREY, "a")
    flicker.add((GREY + 50).astype(np.uint8), GREY, "b")
    assert flicker.mean() == 0


def test_clips_are_scored_with_their_flicker_and_stills_without():
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(3)]
    pairs = [ImagePair(f"a/{i}", frame[::2, ::2], frame) for i, frame in enumerate(frames)]

    def enlarge(lr: np.ndarray) -> np.ndarray:
        return lr.repeat(2, 0).repeat(2, 1)

    still, moving = (evaluate(enlarge, each, protocol("y"), 2) for each in (pairs, ClipFrames(pairs)))
    assert still.flicker is None and "flicker" not in still.to_dict()
    by_hand = Flicker()
    for pair in pairs:
        by_hand.add(enlarge(pair.lr), pair.hr)
    assert moving.to_dict()["flicker"] == by_hand.mean() > 1
    assert moving.psnr_db == still.psnr_db
