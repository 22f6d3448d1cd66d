"""Scores of sets: the bicubic rows that everybody can check, names and units, refusals."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sr.data.image import has_one_channel, read_image
from sr.data.pairs import ImagePair
from sr.evaluation import Score, Upscaler, evaluate, upscaler
from sr.functional.color import image_luma
from sr.functional.resize import bicubic, crop_to_multiple, downscale, imresize
from sr.metrics import protocol

# Mean PSNR and SSIM of bicubic at x2, x3, x4. "y": measured by others for RGB bytes in and out, grey as RGB;
# "y_only": published by SelfExSR (CVPR 2015) and copied since. The grey file of Set14 counts as luma itself there.
ROWS = {
    ("y", "Set5"): ((33.673, 0.9303), (30.403, 0.8689), (28.429, 0.8111)),
    ("y", "Set14"): ((30.325, 0.8699), (27.631, 0.7759), (26.088, 0.7048)),
    ("y", "BSD100"): ((29.560, 0.8434), (27.209, 0.7391), (25.961, 0.6681)),
    ("y_only", "Set5"): ((33.66, 0.9299), (30.39, 0.8682), (28.42, 0.8104)),
    ("y_only", "Set14"): ((30.24, 0.8688), (27.55, 0.7742), (26.00, 0.7027)),
    ("y_only", "BSD100"): ((29.56, 0.8431), (27.21, 0.7385), (25.96, 0.6675)),
    ("rgb", "Set5"): ((31.787, None), (28.625, None), (26.693, None)),
    ("rgb", "Set14"): ((28.520, None), (25.946, None), (24.465, None)),
}


class Bicubic(nn.Module):
    """The baseline as a net of a colour."""

    def __init__(self, scale: float, color: str = "rgb") -> None:
        super().__init__()
        self.scale, self.color, self.size_multiple = scale, color, 1

    def forward(self, lr: Tensor) -> Tensor:
        return bicubic(lr, self.scale)


def _pairs(folder: Path, scale: int) -> list[ImagePair]:
    cropped = [(path, crop_to_multiple(read_image(path), scale)) for path in sorted(folder.iterdir())]
    return [ImagePair(path.stem, downscale(hr, scale), hr, has_one_channel(path)) for path, hr in cropped]


def _photos(*sizes: tuple[int, int]) -> list[ImagePair]:
    random = np.random.default_rng(0)
    hr = [imresize(random.integers(0, 256, (height // 4, width // 4, 3), np.uint8), 4) for height, width in sizes]
    return [ImagePair(f"photo_{i}", downscale(image, 2), image) for i, image in enumerate(hr)]


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize(("name", "test_set"), list(ROWS))
def test_bicubic_rows_are_reproduced(shared_data: Path, name: str, test_set: str, scale: int) -> None:
    decibels, similarity = ROWS[name, test_set][scale - 2]
    pairs = _pairs(shared_data / "test" / test_set, scale)
    score = evaluate(upscaler(Bicubic(scale)), pairs, protocol(name), scale)
    assert score.psnr_db == pytest.approx(decibels, abs=0.02)
    if similarity:
        assert score.ssim == pytest.approx(similarity, abs=0.001)


def test_the_grey_file_taken_as_rgb_moves_set14_by_a_tenth(shared_data: Path) -> None:
    pairs = [pair._replace(one_channel=False) for pair in _pairs(shared_data / "test" / "Set14", 2)]
    score = evaluate(upscaler(Bicubic(2)), pairs, protocol("y_only"), 2)
    assert score.psnr_db == pytest.approx(30.24 + 0.09, abs=0.02)


def test_a_score_is_the_mean_of_its_images_and_carries_its_protocol_and_units() -> None:
    score = evaluate(upscaler(Bicubic(2)), _photos((32, 40), (48, 36)), protocol("y"), 2)
    assert score.psnr_db == pytest.approx(np.mean([image.psnr_db for image in score.per_image]))
    assert score.ssim == pytest.approx(np.mean([image.ssim for image in score.per_image]))
    plain = json.loads(json.dumps(score.to_dict()))
    assert set(plain) == {"protocol", "psnr_y_db", "ssim_y", "num_images", "per_image"}
    assert (plain["protocol"], plain["num_images"]) == ("y", 2)
    assert [image["name"] for image in plain["per_image"]] == ["photo_0", "photo_1"]
    assert set(plain["per_image"][0]) == {"name", "psnr_y_db", "ssim_y"}
    rgb = evaluate(upscaler(Bicubic(2)), _photos((32, 40)), protocol("rgb"), 2).to_dict()
    assert {"psnr_rgb_db", "ssim_rgb"} < set(rgb)


def test_a_y_net_is_scored_on_luma_and_refused_on_rgb() -> None:
    pairs, net = _photos((32, 40)), upscaler(Bicubic(2, "y"))
    as_y, as_rgb = evaluate(net, pairs, protocol("y"), 2), evaluate(upscaler(Bicubic(2)), pairs, protocol("y"), 2)
    assert as_y.psnr_db == pytest.approx(as_rgb.psnr_db, abs=0.01)
    evaluate(net, pairs, protocol("y_only"), 2)
    with pytest.raises(
        ValueError, match=r"'rgb' scores all colours, and this net upscales luma only.*use protocol=y, "
    ):
        evaluate(net, pairs, protocol("rgb"), 2)


def test_an_rgb_net_is_refused_where_luma_alone_is_upscaled() -> None:
    trained = Bicubic(2)
    trained.weight = nn.Parameter(nn.init.ones_(Tensor(1)))
    for upscale in (upscaler(trained), lambda lr: imresize(lr, 2)):
        with pytest.raises(
            ValueError, match="'y_only' upscales luma alone, and this net takes RGB images; use protocol=y"
        ):
            evaluate(upscale, _photos((32, 40)), protocol("y_only"), 2)


def test_tf_y_scores_the_luma_of_the_net_before_it_is_rounded() -> None:
    (pair,) = pairs = _photos((32, 40))
    hr = image_luma(pair.hr)
    for net in (upscaler(Bicubic(2, "y")), upscaler(Bicubic(2))):
        difference = (net.unrounded_luma(pair.lr) - hr) / 255
        score = evaluate(net, pairs, protocol("tf_y"), 2)
        assert score.psnr_db == pytest.approx(-10 * np.log10(np.mean(difference**2)), abs=1e-9)
        assert set(score.to_dict()) >= {"psnr_y_db", "ssim_y"}
    assert not np.array_equal(net.unrounded_luma(pair.lr), np.round(net.unrounded_luma(pair.lr)))
    broken = Upscaler(lambda lr: torch.full((1, 1, 32, 40), torch.nan), color="y", scale=2)
    with pytest.raises(ValueError, match=r"photo_0: .*not finite"):
        evaluate(broken, pairs, protocol("tf_y"), 2)
    with pytest.raises(ValueError, match="'tf_y' scores the image before it is rounded, which needs a net"):
        evaluate(lambda lr: imresize(lr, 2), pairs, protocol("tf_y"), 2)


def test_any_function_on_bytes_can_be_scored() -> None:
    score = evaluate(lambda lr: imresize(lr, 2), _photos((32, 40)), protocol("y"), 2)
    assert score.psnr_db > 20


def test_errors_name_the_image_or_the_missing_set() -> None:
    with pytest.raises(ValueError, match="no image to evaluate"):
        evaluate(upscaler(Bicubic(2)), [], protocol("y"), 2)
    wrong_size = Upscaler(lambda lr: lr, color="rgb", scale=1)
    with pytest.raises(ValueError, match=r"photo_0: protocol 'y' compares .* got SR \(1, 3, 16, 20\)"):
        evaluate(wrong_size, _photos((32, 40)), protocol("y"), 2)
    assert isinstance(evaluate(upscaler(Bicubic(2)), _photos((16, 16)), protocol("y"), 2), Score)


_PEAK = """
import resource, sys
import numpy as np
from skimage import data
import sr
from sr.functional.resize import imresize
hr = np.tile(imresize(data.astronaut()[:500, :500], 2), (4, 6, 1))
if sys.argv[1] == "simulation":
    from sr.pretrained import load
    net = sr.quantize(load("quicksrnet_small", scale=2), scheme="w8a8_ptq")
else:
    net = sr.load("quicksrnet_small", precision=sys.argv[1], runtime=sys.argv[2])
assert hr.size == 3 * 24_000_000
score = sr.evaluate(net, [hr], protocol=sys.argv[3])
print(score.psnr_db, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [("fp32", "torch", "y"), ("fp32", "torch", "rgb"), ("int8", "onnxruntime", "y"), ("simulation", "", "y")],
    ids="-".join,
)
def test_24_megapixels_are_scored_within_2_gb(how):
    done = subprocess.run([sys.executable, "-c", _PEAK, *how], capture_output=True, text=True, check=True)
    psnr_db, peak_gb = map(float, done.stdout.splitlines()[-1].split())
    assert psnr_db > 30 and peak_gb < 2
