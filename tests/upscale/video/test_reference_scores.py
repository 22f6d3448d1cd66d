"""Scores against the true video: PSNR and SSIM of the protocol, and a flicker that sees errors that move."""

import numpy as np
import pytest
import torch

from sr.functional.color import image_luma
from sr.metrics import protocol
from sr.upscale.video.reference_scores import ReferenceScores

av = pytest.importorskip("av")


@pytest.fixture
def truth(make_video):
    """A video without motion, and its frame."""
    from tests.small_videos import moving_crop

    image = moving_crop(0, (96, 128))
    path = make_video(audio=None, images=[image] * 6, num_frames=6)
    with av.open(str(path)) as file:
        frame = next(file.decode(video=0))
        return path, frame.reformat(format="rgb24", src_colorspace=1, dst_color_range=2).to_ndarray()


def _summary(path, frames):
    scores = ReferenceScores(path, 2, None, None)
    for frame in frames:
        scores.add(frame)
    scores.close()
    return scores.summary()


def _shifted(frame, levels):
    return (frame.astype(int) + levels).clip(0, 255).astype(np.uint8)


def test_a_constant_error_costs_psnr_and_does_not_flicker(truth):
    path, frame = truth
    still = _summary(path, [_shifted(frame, -9)] * 6)
    moving = _summary(path, [_shifted(frame, 9 if number % 2 else -9) for number in range(6)])
    assert still["psnr_y_db"] == pytest.approx(moving["psnr_y_db"], abs=1.5) and 26 < still["psnr_y_db"] < 34
    assert still["flicker"] < 0.5
    assert moving["flicker"] == pytest.approx(18 * 219 / 255, rel=0.05)


def test_the_scores_are_those_of_the_protocol(truth):
    path, frame = truth
    other = np.roll(frame, 1, axis=1)
    found = _summary(path, [other])
    psnr, ssim = protocol("y").score(
        *(torch.from_numpy(each.transpose(2, 0, 1).copy())[None] for each in (other, frame)), 2
    )
    assert found["psnr_y_db"] == pytest.approx(psnr.item(), abs=0.3) and found["ssim_y"] == pytest.approx(
        ssim.item(), abs=0.01
    )
    assert found["flicker"] == 0 and image_luma(frame).shape == (96, 128)


def test_another_size_or_too_few_frames_are_refused(truth):
    path, frame = truth
    with pytest.raises(ValueError, match=r"has 128x96 pixels, and the upscaled video 256x192; give the true"):
        _summary(path, [frame.repeat(2, 0).repeat(2, 1)])
    with pytest.raises(ValueError, match=r"in\.mp4 has only 6 frames; give the video of the same part"):
        _summary(path, [frame] * 7)
