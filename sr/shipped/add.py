"""Make a shipped net of a finished run."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from safetensors.torch import save

from sr.models.weights import FLOAT_WEIGHTS, read_weights
from sr.shipped.card import FLOAT, Card, file_facts
from sr.shipped.catalogue import NETS

REPORT = "report.json"
QUANTIZED = {
    "export/aimet/net.onnx": "{scheme}.onnx",
    "export/aimet/net.encodings": "{scheme}.encodings",
    "export/dcr.onnx": "{scheme}_qdq_dcr.onnx",
    "export/pixels_[0-9]*.onnx": "{scheme}_qdq_{stem}.onnx",
}
"""Files of a run's export -> their names here; the last takes uint8 pixels (NHWC) of the run's one target size."""
TRAINING = ("iterations", "precision", "seconds", "ema_decay", "budget")


def add(run: Path, name: str, nets: Path = NETS) -> Path:
    """Copy what a finished run made into a folder of its own, whole or not at all; an older one is replaced.

    Args:
        run: The run folder.
        name: The preset of conf/model that was trained.
        nets: Where shipped nets lie.

    Returns:
        The new folder.

    Raises:
        ValueError: the run is unfinished, or lacks what its report names.
    """
    if not (run / REPORT).is_file():
        raise ValueError(f"{run} has no {REPORT}: it is not finished; the command that started it goes on with it")
    report = json.loads((run / REPORT).read_text(encoding="utf-8"))
    scheme = report["config"]["quantization"].get("name", "") if report["export"] else ""
    nets.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=nets, prefix=".partial-") as partial:
        work = Path(partial) / "net"
        work.mkdir()
        (work / FLOAT).write_bytes(save(read_weights(run / FLOAT_WEIGHTS)))
        for pattern, target in QUANTIZED.items() if scheme else ():
            source = _only(run, pattern)
            shutil.copyfile(source, work / target.format(scheme=scheme, stem=source.stem))
        card = _card(run, name, scheme, report, {path.name: file_facts(path) for path in sorted(work.iterdir())})
        card.write(work)
        Card.read(work)
        folder = nets / card.folder
        shutil.rmtree(folder, ignore_errors=True)
        work.rename(folder)
    return folder


def _only(run: Path, pattern: str) -> Path:
    found = sorted(run.glob(pattern))
    if len(found) != 1:
        raise ValueError(f"{run} should have one file {pattern}, and has {len(found)}; run its command again")
    return found[0]


def _card(run: Path, name: str, scheme: str, report: Mapping[str, Any], files: dict[str, dict[str, Any]]) -> Card:
    return Card(
        name=name,
        scale=report["config"]["scale"],
        net=report["config"]["model"],
        command=_command(run),
        protocol=report["protocol"],
        quality={
            stage: {name: _means(score) for name, score in sets.items()}
            for stage, sets in report["quality"].items()
            if sets
        },
        training={key: report["training"][key] for key in TRAINING if key in report["training"]},
        data={key: report["data"][key] for key in ("fingerprint", "train_sources", "num_images")},
        quantization=scheme,
        versions=report["versions"],
        commit=report["git"]["commit"],
        files=files,
    )


def _means(score: Mapping[str, Any]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in score.items() if isinstance(value, float)}


def _command(run: Path) -> str:
    """The command line of a run, without what concerns the machine that it ran on."""
    overrides = yaml.safe_load((run / ".hydra/overrides.yaml").read_text(encoding="utf-8"))
    kept = [item for item in overrides if not item.startswith(("machine.", "logger", "hydra."))]
    return " ".join(["python -m sr.run", *kept])
