"""What is known of a shipped net: how it was made, how good it is, which files belong to it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sr.runs.files import write_json
from sr.runs.names import inside

NAME = "card.json"
FLOAT = "float.safetensors"


@dataclass(frozen=True, kw_only=True)
class Card:
    """A shipped net.

    Attributes:
        name: The preset of conf/model that it is.
        scale: 1.5, 2, 3 or 4.
        net: `_target_` and arguments of the net in the form that it trained in.
        commands: What made it, to be typed in a checkout one after the other.
        protocol: Of the scores.
        quality: {stage: {set: {"psnr_y_db", "ssim_y"}}}; stages as in a run's report.
        training: {"iterations", "seconds"} of all these runs, and {"precision", "ema_decay", ...} of the last one.
        data: {"fingerprint", "train_sources", "num_images"}.
        quantization: The scheme of the quantized files, "" where there are none.
        versions: {package: version} that made it.
        commit: Of the code that made it.
        files: {file name: {"sha256", "kib"}}.
    """

    name: str
    scale: float
    net: dict[str, Any]
    commands: list[str]
    protocol: str
    quality: dict[str, dict[str, dict[str, float]]]
    training: dict[str, Any]
    data: dict[str, Any]
    quantization: str
    versions: dict[str, str]
    commit: str
    files: dict[str, dict[str, Any]]

    @property
    def folder(self) -> str:
        """The name of its folder, such as "quicksrnet_small_x2"."""
        return self.folder_of(self.name, self.scale)

    @staticmethod
    def folder_of(name: str, scale: float) -> str:
        """Return the name of the folder of a net at a scale."""
        return f"{name}_x{scale:g}"

    def write(self, folder: Path) -> None:
        """Write `card.json` into a folder, at once."""
        write_json(folder / NAME, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> "Card":
        """Read a folder's card and check its files.

        Raises:
            ValueError: a file that is missing or has another content than the card says.
        """
        card = cls(**json.loads((folder / NAME).read_text(encoding="utf-8")))
        for name, facts in card.files.items():
            path = inside(folder, name)
            if not path.is_file() or file_facts(path) != facts:
                raise ValueError(f"{path} is missing or not the file that was shipped; install the package again")
        return card


def file_facts(path: Path) -> dict[str, Any]:
    """Hash and size of a file."""
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "kib": round(len(content) / 1024, 1)}
