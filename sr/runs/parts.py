"""Parts of results with keys of their own, such as a compilation for one chip: made once, then taken from a folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.runs.results import link_file, lost_files, read_result, result_key, write_result

_RECORD = "part.json"


@dataclass(frozen=True)
class Parts:
    """Folder of parts that were made before.

    Attributes:
        folder: Where parts are kept; None keeps nothing, and every part is made.
    """

    folder: Path | None = None

    def take(
        self, kind: str, inputs: Mapping[str, Any], make: Callable[[], dict[str, Any]], place: Path | None = None
    ) -> dict[str, Any]:
        """Return a part that was made from the same inputs, or make it now and keep it.

        Args:
            kind: Name of the kind, such as "compile".
            inputs: Everything that decides the part: hashes, names, versions.
            make: Function that writes the files of the part and returns its facts, plain containers. Their key "files"
                lists the files.
            place: Folder of the files; None for a part without files.

        Returns:
            The facts. A kept part whose files were changed is made again.
        """
        if self.folder is None:
            return make()
        key = result_key(kind, 1, {}, inputs)
        kept = self.folder / f"{kind}-{key}"
        content = read_result(kept / _RECORD)
        if content.get("key") != key or lost_files(kept, content, hashes=True):
            facts = make()
            files = facts["files"] if place else []
            for name in files:
                link_file(place / name, kept / name)
            write_result(kept, _RECORD, {"key": key, "facts": facts}, files)
            return facts
        for name in content["written"] if place else ():
            link_file(kept / name, place / name)
        return content["facts"]


NO_PARTS = Parts()
"""Keeps nothing."""
