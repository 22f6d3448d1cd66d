"""Model files of the phone kit."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

KIT = "phone"
"""Folder of the kit in an export."""


class KitModel(NamedTuple):
    """Model file for a phone.

    Args:
        runtime: "qnn", "litert" or "ncnn"; the files of "qnn" serve ONNX Runtime, too.
        form: Form of the certificate that computes what the phone has to compute.
        lr_size: Height and width in LR pixels that the file is made for.
        files: Files in the export's folder; the first is the model.
        chip: Facts of the chip that it is compiled for; empty if it runs on any.
    """

    runtime: str
    form: str
    lr_size: tuple[int, int]
    files: Sequence[Path]
    chip: Mapping[str, Any]
