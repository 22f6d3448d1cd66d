"""Card of a pretrained net: commands, scores, and files with their hashes."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sr.runs.files import write_json
from sr.runs.names import inside

CARD = "card.json"
FLOAT = "float.safetensors"


@dataclass(frozen=True, kw_only=True)
class Card:
    """Facts of a pretrained net.

    Attributes:
        name: Preset of conf/model.
        scale: 1.5, 2, 3 or 4.
        net: `_target_` and arguments of the net in its training form.
        parameters: {"trainable", "frozen"}: weights and biases of the net in its inference form.
        commands: Commands that reproduce the net, in order.
        protocol: Evaluation protocol of the scores.
        quality: {stage: {set: {"psnr_y_db", "ssim_y"}}}; stages as in the report of a run.
        training: {"iterations", "seconds"} of all runs, and {"precision", "ema_decay", ...} of the last run.
        data: {"fingerprint", "train_sources", "num_images"}.
        licence: What the weights may be used for, with the licences of the training images; "" on an older card.
        quantization: Scheme of the quantized files, or "".
        versions: {package: version} of the run.
        commit: Commit of the run.
        files: {file name: {"sha256", "kib"}}.
    """

    name: str
    scale: float
    net: dict[str, Any]
    parameters: dict[str, int]
    commands: list[str]
    protocol: str
    quality: dict[str, dict[str, dict[str, float]]]
    training: dict[str, Any]
    data: dict[str, Any]
    quantization: str
    versions: dict[str, str]
    commit: str
    files: dict[str, dict[str, Any]]
    licence: str = ""

    @property
    def folder(self) -> str:
        """Name of the folder, such as "quicksrnet_small_x2"."""
        return self.folder_of(self.name, self.scale)

    @staticmethod
    def folder_of(name: str, scale: float) -> str:
        """Return the folder name of a net at a scale."""
        return f"{name}_x{scale:g}"

    def write(self, folder: Path) -> None:
        """Write `card.json` to a folder atomically."""
        write_json(folder / CARD, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> "Card":
        """Read the card of a folder and check its files.

        Args:
            folder: Folder of the net.

        Raises:
            ValueError: If a file is missing or differs from the card.
        """
        card = cls(**json.loads((folder / CARD).read_text(encoding="utf-8")))
        for name, facts in card.files.items():
            path = inside(folder, name)
            if not path.is_file() or file_facts(path) != facts:
                raise ValueError(f"{path} is missing or does not match its card; install the package again")
        return card


def file_facts(path: Path) -> dict[str, Any]:
    """Return SHA-256 and size in KiB of a file."""
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "kib": round(len(content) / 1024, 1)}
