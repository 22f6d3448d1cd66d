"""Results folder that is replaced as a whole: built beside its place and moved in, the certificate last."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sr.export.certificate.proof import failures
from sr.runs.files import read_json, sha256, write_json
from sr.runs.names import inside

CERTIFICATE = "certificate.json"
REFUSED = "refused.json"
LOG = "qnn.log"


@contextmanager
def workshop(folder: Path) -> Iterator[Path]:
    """Yield a fresh folder beside `folder`; its files are moved in at the end of the block, unless the block fails.

    A kill leaves the old certificate with the old files, no certificate, or the new certificate with the new files.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        _move_in(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def hashed_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Return SHA-256 and size in KiB of every file in a folder, by its relative path."""
    return {
        path.relative_to(folder).as_posix(): {
            "sha256": sha256(path),
            "size_kib": round(path.stat().st_size / 1024, 1),
        }
        for path in _files(folder)
    }


def whole(folder: Path, certificate: dict[str, Any]) -> bool:
    """Return whether every file that a certificate names exists with the content that was certified."""
    there = hashed_files(folder)
    return all(there.get(name) == facts for name, facts in certificate["files"].items())


def clear(folder: Path) -> None:
    """Remove an earlier release from a folder: first the certificate, then the files that it names."""
    certificate = folder / CERTIFICATE
    names = read_json(certificate)["files"] if certificate.is_file() else {}
    for path in [inside(folder, name) for name in (CERTIFICATE, REFUSED, *names)]:
        path.unlink(missing_ok=True)


def done(folder: Path, inputs: dict[str, Any]) -> dict[str, Any] | None:
    """Return the certificate of an export from the same inputs with all its files, or None."""
    path = folder / CERTIFICATE
    certificate = read_json(path) if path.is_file() else None
    return certificate if certificate and certificate["inputs"] == inputs and whole(folder, certificate) else None


def refuse_outside_bounds(certificate: dict[str, Any], folder: Path) -> None:
    """Remove an earlier release if a bound of the new certificate does not hold; refused.json has the comparison.

    Raises:
        ValueError: A bound does not hold; the message lists every one.
    """
    if lines := failures(certificate):
        clear(folder)
        write_json(folder / REFUSED, certificate)
        raise ValueError(
            f"the export is not the trained net: {'; '.join(lines)}. "
            f"Every comparison is in {folder / REFUSED}; the bounds are `export.bounds`"
        )


def _move_in(partial: Path, folder: Path) -> None:
    clear(folder)
    for path in sorted(_files(partial), key=lambda path: path.name == CERTIFICATE):
        place = folder / path.relative_to(partial)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
