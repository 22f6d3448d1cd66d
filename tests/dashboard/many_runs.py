"""Many run folders made of one real run: `python tests/dashboard/many_runs.py RUN PLACE NUMBER`."""

import copy
import itertools
import json
import random
import sys
from pathlib import Path
from typing import Any

import yaml

TEXTS = ("logs/version_0/metrics.csv", "sensitivity/sensitivity.json")
SIDES, DEPTHS, SEEDS = (8, 12, 16, 24, 32, 48, 64), (1, 2, 3, 5, 7, 9, 11, 14, 16, 20), range(1000)


def many_runs(run: Path, place: Path, number: int, *, each_unfinished: int = 0) -> None:
    """Copy a finished run under other names, with other settings and scores.

    Args:
        run: The folder of a finished run.
        place: The experiment to write the copies into.
        number: How many.
        each_unfinished: Every so many, one is left unfinished; 0 finishes all.
    """
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    texts = {name: (run / name).read_bytes() for name in TEXTS if (run / name).is_file()}
    dice = random.Random(0)
    for index, (seed, f, m) in enumerate(itertools.islice(itertools.product(SEEDS, SIDES, DEPTHS), number)):
        folder = place / f"model.f_{f}-model.m_{m}-seed_{seed}"
        varied = _varied(report, folder, f, m, seed, dice)
        for name, content in texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(yaml.dump(varied["config"], Dumper=yaml.CSafeDumper, sort_keys=False))
        if not each_unfinished or index % each_unfinished:
            (folder / "report.json").write_text(json.dumps(varied, indent=2))


def _varied(report: dict[str, Any], folder: Path, f: int, m: int, seed: int, dice: random.Random) -> dict[str, Any]:
    """Change names, settings and scores of a report as another run would have them."""
    made = copy.deepcopy(report)
    made |= {"experiment": folder.parent.name, "run": folder.name}
    made["config"] |= {"seed": seed}
    made["config"]["model"] |= {"f": f, "m": m}
    made["cost"] |= {"parameters": f * f * m * 9, "macs_g": f * f * m * 9 / 2000}
    gain = 0.3 * (f * m) ** 0.25 + dice.gauss(0, 0.02)
    for stage, sets in made["quality"].items():
        for score in sets.values() if stage != "bicubic" else ():
            for part in (score, *score.get("per_image", [])):
                part |= {key: value + gain for key, value in part.items() if key.startswith("psnr")}
    return made


if __name__ == "__main__":
    many_runs(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
