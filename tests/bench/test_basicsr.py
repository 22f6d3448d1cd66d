"""Sub-images for BasicSR, and, where it is installed, its loop."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sr.bench.basicsr import MAX_SUB_IMAGES, BasicSRLoop, why_no_basicsr, write_sub_images
from sr.bench.interleaved import Stopwatch
from sr.bench.loops import task_of
from sr.bench.setting import composed
from sr.data.pairs import ImagePair


def noise(height: int, width: int, scale: int = 2) -> ImagePair:
    rng = np.random.default_rng(height)
    hr = rng.integers(0, 256, (scale * height, scale * width, 3), dtype=np.uint8)
    return ImagePair("noise", hr[::scale, ::scale].copy(), hr)


def test_tiles_are_aligned_and_small_rests_left_out(tmp_path: Path) -> None:
    pair = noise(250, 270)  # tiles of 240 and 30 columns, of 240 and 10 rows
    assert write_sub_images([pair], tmp_path, scale=2, lr_patch=30) == 2
    lr, hr = (np.asarray(Image.open(tmp_path / kind / "0001.png")) for kind in ("lr", "hr"))
    assert np.array_equal(lr, pair.lr[:240, 240:]) and np.array_equal(hr, pair.hr[:480, 480:])
    assert sorted(path.name for path in (tmp_path / "hr").iterdir()) == ["0000.png", "0001.png"]


def test_many_tiles_are_thinned_out_evenly(tmp_path: Path) -> None:
    assert MAX_SUB_IMAGES / 2 < write_sub_images([noise(4, 4)] * 301, tmp_path, scale=2, lr_patch=4) <= MAX_SUB_IMAGES


def test_what_basicsr_cannot_do_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"integer scales only, got x1\.5"):
        write_sub_images([], tmp_path, scale=1.5, lr_patch=12)
    with pytest.raises(ValueError, match=r"no image holds a patch of 48 LR pixels; lower data\.lr_patch"):
        write_sub_images([noise(20, 20)], tmp_path, scale=2, lr_patch=48)


def test_a_missing_basicsr_is_named(uninstall: Callable[[str], None]) -> None:
    uninstall("basicsr")
    assert "BasicSR was left out" in str(why_no_basicsr())


@pytest.mark.parametrize("color", ["rgb", "y"])
def test_its_loop_trains_a_copy_of_the_net(tmp_path: Path, color: str) -> None:
    if missing := why_no_basicsr():
        pytest.skip(missing)
    with composed(["model=espcn", f"model.color={color}"]) as (config, _):
        net = task_of(config).net
    before = [p.detach().clone() for p in net.parameters()]
    setting = {"scale": 2, "batch_size": 2, "lr_patch": 12, "ema_decay": 0.9}
    loop = BasicSRLoop(net, [noise(40, 40)], tmp_path, setting, num_workers=0, device=torch.device("cpu"))
    watch = Stopwatch(torch.device("cpu"))
    loop.run(60)  # more than its enlarged epoch of 100 patches
    assert watch.read().seconds > 0 and loop.name.startswith("BasicSR 1.")
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), before, strict=True))
    trained = list(loop._model.net_g.parameters())
    assert not all(torch.equal(a, b) for a, b in zip(trained, before, strict=True))
