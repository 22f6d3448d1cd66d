"""A folder with all that the commands of the pages read: pictures, videos, sets of images, a net of the user."""

import re
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file
from skimage import data
from torchvision.models import squeezenet1_0

from tests.docs.pages import ROOT
from tests.small_videos import RATE, moving_crop, write_video

TRAINING_SETS = ("T91", "General100", "BSDS200", "DIV2K_test_LRx4", "CC0_photos")
TEST_SETS = {"Set5": 5, "Set14": 14, "BSD100": 100, "gaming_test": 5}


def pictures(folder: Path, count: int, side: int = 96) -> None:
    """Write different crops of a photograph."""
    folder.mkdir(parents=True)
    # Each set starts elsewhere: a training image that equals a test image is refused.
    start = sum(map(ord, folder.name)) % 97
    photograph = Image.fromarray(data.astronaut())
    for number in range(count):
        left, top = (start + 31 * number) % 400, (5 * start + 17 * number) % 400
        photograph.crop((left, top, left + side, top + side)).save(folder / f"{number:03}.png")


def fill(folder: Path) -> None:
    """Write everything below an empty folder; `my/` stands for `/my/` of the pages."""
    for name in TRAINING_SETS:
        pictures(folder / "sets/train" / name, 3, side=288 if name == "CC0_photos" else 96)
    pictures(folder / "sets/gaming_train", 3)
    for name, count in TEST_SETS.items():
        pictures(folder / "sets/test" / name, count, side=112 if name == "BSD100" else 32)  # NIQE needs 104
    for name in ("my/photos", "my/frames", "my/other_place", "my/hr", "photos"):
        pictures(folder / name, 3, side=192)
    pictures(folder / "my/hr_small", 3)
    (folder / "my/lr_x2").mkdir()
    for path in (folder / "my/hr").iterdir():
        Image.open(path).resize((96, 96), Image.Resampling.BOX).save(folder / "my/lr_x2" / path.name)
    for name in ("photo.jpg", "frame.png"):
        Image.fromarray(data.chelsea()).resize((64, 48)).save(folder / name)
    (folder / "my/clips").mkdir()
    (folder / "sets/test/walks").mkdir()
    clips = (folder / "my/clips/one.mp4", folder / "my/clips/two.mp4", folder / "sets/test/walks/three.mp4")
    for start, path in zip((0, 100, 180), clips, strict=True):
        frames = [moving_crop(start + number, (96, 128)) for number in range(3)]
        write_video(path, num_frames=3, audio=None, images=frames)
    write_video(folder / "in.mp4", num_frames=16, size=(48, 64), audio=None, pts=[RATE * each for each in range(16)])
    write_video(folder / "low.mp4", num_frames=4, size=(48, 64), audio=None)
    write_video(folder / "true.mp4", num_frames=4, size=(96, 128), audio=None, scale=2)
    torch.save(squeezenet1_0(weights=None).state_dict(), folder / "squeezenet.pt")
    page = (ROOT / "docs/own_net.md").read_text(encoding="utf-8")
    plain, trained = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    names: dict[str, type[torch.nn.Module]] = {}
    exec(plain, names)
    save_file(names["MyNet"]().state_dict(), folder / "w.safetensors")
    (folder / "my_net.py").write_text(plain, encoding="utf-8")
    (folder / "trained").mkdir()
    (folder / "trained/my_net.py").write_text(f"{plain}\n{trained}", encoding="utf-8")
