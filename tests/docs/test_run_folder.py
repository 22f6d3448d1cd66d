"""docs/run_folder.md lists what the stages leave, and nothing else."""

import re
from pathlib import Path

from sr.config.redo import PLACES_OF
from sr.job import FAILED
from sr.runs.identity import CONFIG
from sr.runs.lock import LOCK_NAME
from sr.runs.results import INDEX
from sr.stages.starts import STARTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/run_folder.md").read_text(encoding="utf-8")
LISTED = [name for cell in re.findall(r"^\| (`[^|]*) \|", PAGE, re.M) for name in re.findall(r"`([^`]+)`", cell)]


def test_every_place_of_a_stage_is_listed():
    places = [place.split("*")[0] for each in PLACES_OF.values() for place in each]
    assert len(places) > 12
    for place in [*places, CONFIG, FAILED, LOCK_NAME, STARTS, "data.json"]:
        folder = place.split("/")[0]
        assert any(name.startswith((place, f"{folder}/")) for name in LISTED), f"{place} is not on the page"
    assert f"{INDEX}/" in LISTED


def test_every_listed_file_is_named_in_the_code():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "sr").rglob("*.py"))
    code += "".join(path.read_text(encoding="utf-8") for path in (ROOT / "conf").rglob("*.yaml"))
    code += ".hydra metrics.csv"  # Hydra and Lightning write these
    assert len(LISTED) > 20
    for name in LISTED:
        for part in re.split(r"[/<>]+", name):
            part = re.sub(r"_N$|_N(?=\.)|^(stage|id)$", "", part).partition(".pt")[0]
            assert part in code, f"{name}: the code does not know {part}"
