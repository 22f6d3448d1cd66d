"""Folder of kept results: a JSON file for each run and each grid of estimates, in folders by experiment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sr.pretrained.card import CARD
from sr.report.record import REPORT_NAME, Report, read_report
from sr.report.runs import natural_key
from sr.results.kept_card import card_report
from sr.results.kept_estimates import Estimates, as_kept, read_estimates, reduced_estimates
from sr.results.kept_run import reduced_report
from sr.runs.files import write_json

HTP = "htp"
"""Folder of the estimates."""


@dataclass(frozen=True)
class KeptResults:
    """All kept results, each under its file name, in natural order.

    Attributes:
        reports: {"experiment/name": reduced report of a run}.
        estimates: {"htp/name": estimates of the HTP compiler}.
    """

    reports: Mapping[str, Report]
    estimates: Mapping[str, Estimates]

    def joined(self, new: "KeptResults") -> "KeptResults":
        """Return these results with new ones, which replace those of the same name."""
        return KeptResults(_ordered({**self.reports, **new.reports}), _ordered({**self.estimates, **new.estimates}))


def read_kept(folder: Path) -> KeptResults:
    """Read all kept results of a folder; one that does not exist holds none.

    Raises:
        ValueError: If a file is not a kept result; the message names it.
    """
    files = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.glob("*/*.json")}
    reports = {name: read_report(path) for name, path in files.items() if path.parent.name != HTP}
    estimates = {name: read_estimates(path) for name, path in files.items() if path.parent.name == HTP}
    return KeptResults(_ordered(reports), _ordered(estimates))


def reduced(places: Iterable[Path]) -> KeptResults:
    """Reduce finished runs, cards of pretrained nets, and files of `sr bench htp --json`.

    Args:
        places: Run folders, folders of runs, folders of pretrained nets, and `.json` files.

    Raises:
        ValueError: If there is nothing to keep at a place, or a run is not finished.
    """
    reports, estimates = dict[str, Report](), dict[str, Estimates]()
    for place in places:
        if place.suffix == ".json":
            estimates[f"{HTP}/{place.stem}"] = reduced_estimates(place)
            continue
        for run in _runs(place):
            report = card_report(run) if (run / CARD).is_file() else reduced_report(run)
            reports[f"{report.experiment}/{report.run}"] = report
    return KeptResults(reports, estimates)


def _runs(place: Path) -> list[Path]:
    """Return a run folder or that of a pretrained net, or all of those directly below a folder."""
    if any((place / mark).is_file() for mark in ("config.yaml", CARD)):
        return [place]
    found = sorted(path.parent for mark in (REPORT_NAME, CARD) for path in place.glob(f"*/{mark}"))
    if not found:
        raise ValueError(
            f"no finished run at {place}; give a run folder, outputs/<experiment>, a folder of pretrained nets, or a "
            ".json file of sr bench htp"
        )
    return found


def write_kept(results: KeptResults, folder: Path) -> list[Path]:
    """Write results into a folder, each file atomically; returns the files."""
    contents: dict[str, dict[str, Any]] = {
        name: {each.name: getattr(report, each.name) for each in fields(report)}
        for name, report in results.reports.items()
    }
    contents |= {name: as_kept(found) for name, found in results.estimates.items()}
    paths = []
    for name, content in contents.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, content)
        paths.append(path)
    return paths


def _ordered(results: Mapping[str, Any]) -> dict[str, Any]:
    """Sort by file name, 5 before 11."""
    return dict(sorted(results.items(), key=lambda each: natural_key(each[0])))
