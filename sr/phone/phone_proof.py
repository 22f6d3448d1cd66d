"""Compare the pixels of a phone with those of the certificate."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from sr.data.image import read_image
from sr.data.pairs import ImagePair
from sr.export.certificate.proof import Closeness, Form, prove
from sr.export.kit.phone_kit import read_expected
from sr.models.net import Net
from sr.phone.opened_kit import ChosenModels, OpenedKit


def read_outputs(out: Path, kit: OpenedKit, models: ChosenModels) -> dict[str, np.ndarray]:
    """Read what the phone made of each frame, as (H, W, C) uint8.

    Args:
        out: Folder that was pulled.
        kit: The kit.
        models: Models that ran.

    Raises:
        ValueError: An output is missing, or has another size.
    """
    found = {}
    for folder, frames in (("crops", kit.crops if models.crops else []), ("frame", [kit.frame])):
        files = sorted((out / folder).rglob("*.raw"), key=_number)
        if len(files) != len(frames):
            raise ValueError(f"the phone gave {len(files)} outputs for {len(frames)} frames in out/{folder}")
        for frame, file in zip(frames, files, strict=True):
            height, width, channels = frame["sr"]
            content = np.fromfile(file, np.uint8)
            if content.size != (wanted := height * width * channels):
                raise ValueError(
                    f"the phone's output of {frame['name']} has {content.size} bytes, not the {wanted} of "
                    f"{height}x{width}x{channels}: another model ran, or it gave floats; run the command again"
                )
            found[frame["name"]] = content.reshape(height, width, channels)
    return found


def compare(kit: OpenedKit, models: ChosenModels, outputs: Mapping[str, np.ndarray], name: str) -> dict[str, Any]:
    """Compare every pixel with the kit's, and the PSNR of the crops.

    Args:
        kit: The kit.
        models: Models that ran.
        outputs: What the phone made of each frame.
        name: Name of the phone's form.

    Returns:
        "form", "links" and "closeness" as in a certificate, and "frames" with the difference of each frame.
    """
    form = models.frame["form"]
    wanted = {
        frame["name"]: _expected(kit, form, frame) for frame in kit.manifest["frames"] if frame["name"] in outputs
    }
    frames = [{"frame": frame, **_difference(outputs[frame], wanted[frame])} for frame in outputs]
    crops = [crop["name"] for crop in kit.crops if crop["name"] in outputs]
    row, closeness = {"name": name, "psnr_y_db": None}, []
    if crops:
        proof = _proof(kit, form, name, [wanted[crop] for crop in crops], [outputs[crop] for crop in crops])
        row["psnr_y_db"], closeness = proof["forms"][1]["psnr_y_db"], proof["closeness"]
    return {"form": row, "links": [_link(form, name, frames)], "closeness": closeness, "frames": frames}


def told_proof(models: ChosenModels, told: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Any]:
    """Return what `compare` returns for a runtime that tells differences and no pixels, so without a PSNR.

    Args:
        models: Models that ran.
        told: Largest difference and share of differing values of each frame.
        name: Name of the phone's form.
    """
    frames = [{"frame": frame, **row} for frame, row in told.items()]
    link = _link(models.frame["form"], name, frames)
    return {"form": {"name": name, "psnr_y_db": None}, "links": [link], "closeness": [], "frames": frames}


def _link(form: str, name: str, frames: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "first": form,
        "second": name,
        "max_lsb": None,
        "max_share": None,
        "largest_lsb": max(row["largest_lsb"] for row in frames),
        "differing_share": float(np.mean([row["differing_share"] for row in frames])),
        "holds": True,
    }


def _proof(
    kit: OpenedKit, form: str, name: str, wanted: Sequence[np.ndarray], outputs: Sequence[np.ndarray]
) -> dict[str, Any]:
    """Return the certificate's comparison of stored images, which are given out one after the other."""
    net = SimpleNamespace(**{key: kit.manifest[key] for key in ("scale", "color", "size_multiple")})
    pairs = [ImagePair(crop["name"], _picture(kit, crop, "lr"), _picture(kit, crop, "hr")) for crop in kit.crops]
    forms = [Form(each, each, _stored(images), None) for each, images in ((form, wanted), (name, outputs))]
    bound = float(kit.manifest["bounds_db"][form])
    return prove(forms, ([], [Closeness(name, form, bound)]), pairs, cast(Net, net))


def _stored(images: Sequence[np.ndarray]) -> Any:
    following: Iterator[np.ndarray] = iter(images)

    def run(lr: Tensor) -> Tensor:
        return torch.from_numpy(next(following).copy()).permute(2, 0, 1)[None].float() / 255

    return run


def _picture(kit: OpenedKit, crop: Mapping[str, Any], kind: str) -> np.ndarray:
    return read_image(kit.folder / f"pairs/{crop['name']}_{kind}.png")


def _expected(kit: OpenedKit, form: str, frame: Mapping[str, Any]) -> np.ndarray:
    content = read_expected(kit.folder, form, frame["name"], math.prod(frame["sr"]))
    return np.frombuffer(content, np.uint8).reshape(frame["sr"])


def _difference(ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    each = np.abs(ours.astype(np.int16) - theirs).max(axis=2)
    return {"largest_lsb": int(each.max()), "differing_share": float((each > 0).mean())}


def _number(path: Path) -> tuple[int, str]:
    """Return the number of a result: qnn-net-run writes Result_<number>/<name>.raw."""
    parent = path.parent.name
    return (int(parent.removeprefix("Result_")) if parent.startswith("Result_") else 0, path.name)
