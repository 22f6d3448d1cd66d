"""Results with a key: what a finished stage left, whether its files are still those, and the index to reuse them by."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.runs.files import read_json, sha256, write_atomically, write_json

INDEX = ".results"
"""Folder of the index, beside the experiments."""
RESULTS = (
    "float/weights.json",
    "evaluation/*.json",
    "quantized/quantized.json",
    "sensitivity/sensitivity.json",
    "export/export.json",
    "images/images.json",
    "cost.json",
)
"""Result files of the stages in a run folder."""


def result_key(stage: str, version: int, settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """Return the key of a result: a hash of everything that decides it; 32 hex digits.

    Args:
        stage: name of the stage.
        version: of its code; raised where the same inputs give another result.
        settings: those that change the result.
        inputs: hashes of what it reads.
    """
    content = json.dumps([stage, version, settings, inputs], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def describe_files(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return {file: {"sha256", "bytes"}} of files in a folder, named relative to it."""
    return {
        name: {"sha256": sha256(folder / name), "bytes": (folder / name).stat().st_size} for name in sorted(set(names))
    }


def lost_files(folder: Path, content: Mapping[str, Any], *, hashes: bool) -> list[str]:
    """List the files of a result that are gone or were changed.

    Args:
        folder: of the run.
        content: of the result file.
        hashes: whether to read the files; their sizes are compared in any case.
    """
    return [name for name, marks in content.get("written", {}).items() if not _is_same(folder, name, marks, hashes)]


def _is_same(folder: Path, name: str, marks: Mapping[str, Any], hashes: bool) -> bool:
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts or not path.is_file():
        return False  # a result stands for files of its own run only
    if path.stat().st_size != marks["bytes"]:
        return False
    return not hashes or sha256(path) == marks["sha256"]


def results_in(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the result files of a run folder that can be read, with their content."""
    for pattern in RESULTS:
        for path in sorted(folder.glob(pattern)):
            if content := read_result(path):
                yield path.relative_to(folder).as_posix(), content


def read_result(path: Path) -> dict[str, Any]:
    """Read a result file; empty where it is absent, damaged, or from before results had keys."""
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) and "key" in content else {}


def lost_in(folder: Path) -> list[str]:
    """List the files that a run's results stand for and that are gone or have another size; nothing is read whole."""
    return [name for _, content in results_in(folder) for name in lost_files(folder, content, hashes=False)]


def is_whole(folder: Path, result: str, key: str) -> bool:
    """Whether a run folder has a result of this key with all of its files as they were written."""
    content = read_result(folder / result)
    return content.get("key") == key and not lost_files(folder, content, hashes=True)


def write_result(folder: Path, result: str, outcome: Mapping[str, Any], files: Iterable[str]) -> None:
    """Write a result file, last of a stage's files, with the hashes of the others.

    Args:
        folder: of the run.
        result: the JSON file, relative to it.
        outcome: what it says; "stage" and "key" among it.
        files: the other files, relative to the folder.
    """
    write_json(folder / result, {**outcome, "written": describe_files(folder, files)})


@dataclass(frozen=True, kw_only=True)
class ResultIndex:
    """The index of finished stages: key -> the runs that hold the result.

    Attributes:
        folder: where it lies.
        reuse: whether results of other runs are taken at all.
    """

    folder: Path
    reuse: bool = True

    def add(self, folder: Path, result: str) -> None:
        """Enter a finished result of a run."""
        content = read_result(folder / result)
        path = self._pointer(content["stage"], content["key"])
        place = os.path.relpath(folder.resolve(), self.folder.resolve())
        runs = [place, *(run for run in self._runs(path) if run != place)]
        write_json(path, {"stage": content["stage"], "key": content["key"], "result": result, "runs": runs})

    def take(self, stage: str, key: str, folder: Path, result: str) -> str | None:
        """Bring a result of this key from another run into a run folder, by hard links where the system has them.

        Args:
            stage: its name.
            key: of the result.
            folder: the run that wants it.
            result: the result file, relative to the folder.

        Returns:
            The run that it was taken from; None if no other run has it whole. A damaged one is reported.
        """
        for place in self._runs(self._pointer(stage, key)) if self.reuse else ():
            source = Path(os.path.normpath(self.folder.resolve() / place))
            content = read_result(source / result)
            if source == folder.resolve() or content.get("key") != key:
                continue  # this run itself, or one that is gone or was made again with other settings
            if lost := lost_files(source, content, hashes=True):
                print(f"{stage}: {source} has it, but {', '.join(lost)} was removed or changed there: not taken")
                continue
            for name in content["written"]:
                link_file(source / name, folder / name)
            write_json(folder / result, {**content, "reused_from": content.get("reused_from") or source.as_posix()})
            self.add(folder, result)
            return source.as_posix()
        return None

    def _pointer(self, stage: str, key: str) -> Path:
        return self.folder / f"{stage}-{key}.json"

    def _runs(self, pointer: Path) -> list[str]:
        try:
            return list(map(str, read_json(pointer)["runs"]))
        except (OSError, ValueError, TypeError, KeyError):
            return []


def link_file(source: Path, target: Path) -> None:
    """Bring a file to another place: by a hard link, or as a copy where the file system has no links."""

    def link(temporary: Path) -> None:
        try:
            os.link(source, temporary)
        except OSError:  # another file system, or one without hard links
            shutil.copyfile(source, temporary)

    target.unlink(missing_ok=True)  # two links of one file cannot replace each other
    write_atomically(target, link)
