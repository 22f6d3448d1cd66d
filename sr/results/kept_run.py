"""Report of a run, reduced to what version control should hold: settings, length, scores, command and commit."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from sr.pretrained.add import training_history
from sr.report.net_facts import class_name
from sr.report.record import REPORT_NAME, Report, plain_values, read_report
from sr.runs.names import check_name

CONFIG_KEYS = ("model", "scale", "seed", "protocol", "init")
SCHEME_KEYS = ("name", "numbers", "weight_bits", "activation_bits", "per_channel", "chain")
DATA_KEYS = ("fingerprint", "train_sources", "num_images")
_TRAINING_KEYS = ("iterations", "precision", "budget", "ema_decay")
COST_KEYS = ("parameters", "trainable_parameters", "macs_g", "lr_height", "lr_width")
TOTAL_ITERATIONS = "total_iterations"
"""Key of `training`: iterations of all runs that the net comes from, its own the last."""
DECIMALS = 4
_ABSOLUTE = re.compile(r"(?<![\w.~])(?:[A-Za-z]:)?(?:[/\\][^/\\\s'\",\[\]]+){2,}")


def reduced_report(run: Path) -> Report:
    """Return the report of a finished run without scores of single images, times and paths of its machine.

    Args:
        run: The run folder.

    Raises:
        ValueError: If the run or one that it started from is not finished.
    """
    if not (run / REPORT_NAME).is_file():
        raise ValueError(f"{run} has no {REPORT_NAME}, so it is not finished; run its command again to finish it")
    report = read_report(run / REPORT_NAME)
    history = training_history(run)
    commands = [without_machine_paths(command) for command, _ in history]
    total = sum(training.get("iterations", 0) for _, training in history)
    return Report(
        experiment=run.resolve().parent.name,
        run=_name(report, commands[-1], run.resolve().name),
        config=_config(report.config),
        protocol=report.protocol,
        git={key: report.git.get(key) for key in ("commit", "dirty")},
        versions=report.versions,
        data=_some(report.data, DATA_KEYS),
        training=_some(report.training, _TRAINING_KEYS) | {TOTAL_ITERATIONS: total} | _rounds(report.training),
        quality={
            stage: {name: _score(score) for name, score in sets.items()} for stage, sets in report.quality.items()
        },
        cost=_rounded(_some(report.cost, COST_KEYS)),
        export={},
        stage_seconds={},
        made_by={"commands": commands},
    )


def without_machine_paths(command: str) -> str:
    """Return a command with each absolute path cut to what does not depend on the machine.

    A path into `outputs/` stays from there on; of any other path the last part is left.

    >>> without_machine_paths("python -m sr.run init=/mnt/a/outputs/main/x data.root=/data/photos")
    'python -m sr.run init=outputs/main/x data.root=.../photos'
    """
    return _ABSOLUTE.sub(_portable, command)


def _portable(found: re.Match[str]) -> str:
    parts = PurePosixPath(found[0].replace("\\", "/")).parts
    if "outputs" in parts:
        return "/".join(parts[parts.index("outputs") :])
    return f".../{parts[-1]}"


def _name(report: Report, command: str, run: str) -> str:
    """Return a short name for the file: net, scale, scheme, seed, and a hash of the run folder's name."""
    preset = re.search(r"(?:^|\s)model=(\w+)", command)
    scheme = (report.config.get("quantization") or {}).get("name") or "float"
    net = preset[1] if preset else class_name(report.config.get("model"))
    digest = hashlib.sha256(run.encode()).hexdigest()[:8]
    name = f"{net}_x{report.scale:g}-{scheme}-seed_{report.config.get('seed', 0)}-{digest}"
    return check_name("the name of the kept result", name)


def _config(config: Mapping[str, Any]) -> dict[str, Any]:
    kept = _some(config, CONFIG_KEYS)
    if isinstance(kept.get("init"), str):
        kept["init"] = without_machine_paths(kept["init"])
    task = config.get("task")
    return kept | {
        "task": {"_target_": str((task or {}).get("_target_", ""))},
        "quantization": _some(config.get("quantization") or {}, SCHEME_KEYS),
        "export": _some(config.get("export") or {}, ("size",)),
    }


def _rounds(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rounds of a pruning without their curves; empty for another training."""
    rounds = training.get("rounds")
    return {"rounds": [_rounded({**each, "curve": []}) for each in rounds]} if isinstance(rounds, Sequence) else {}


def _score(score: Mapping[str, Any]) -> dict[str, Any]:
    return _rounded({key: value for key, value in score.items() if key != "per_image"})


def _some(values: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: values[key] for key in keys if key in values}


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Round the numbers of a mapping to four decimals."""
    found = {key: round(value, DECIMALS) if isinstance(value, float) else value for key, value in values.items()}
    plain: dict[str, Any] = plain_values(found, "kept")
    return plain
