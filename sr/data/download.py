"""Download archives with resume and SHA-256 check, and unpack them safely."""

import hashlib
import http.client
import logging
import os
import shutil
import stat
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

from filelock import FileLock

from sr.runs.files import write_atomically

log = logging.getLogger(__name__)

_BLOCK = 1 << 20
_TIMEOUT_S = 60.0
_ATTEMPTS = 5
_PAUSE_S = 1.0  # before the second attempt; doubled each time
_REPORT_S = 15.0


class Archive(NamedTuple):
    """A zip file on the web and the folder that it contains."""

    url: str
    folder: str
    """Top folder inside the archive; if it exists at the destination, nothing is downloaded."""
    num_bytes: int | None
    sha256: str | None
    """None trusts the first download and saves its hash; a later download must have the same hash."""


def fetch_archive(archive: Archive, root: Path) -> Path:
    """Download, check and unpack an archive unless its folder exists; the archive is then removed.

    Args:
        archive: The archive.
        root: Folder to unpack into; it may be new.

    Returns:
        The unpacked folder.

    Raises:
        ValueError: If the download fails, the content is wrong or unsafe, or the disk is full. A partial download is
            kept for the next attempt.
    """
    folder = root / archive.folder
    if folder.is_dir():
        return folder
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{archive.folder}.lock"):
            if not folder.is_dir():  # another process may have unpacked it meanwhile
                file = download(
                    archive.url,
                    root / PurePosixPath(urlsplit(archive.url).path).name,
                    archive.sha256,
                    archive.num_bytes,
                )
                extract(file, archive.folder, root)
                file.unlink()
    except OSError as error:
        raise ValueError(
            f"cannot write {folder} ({error.strerror or error}); free some space, or choose data.root=<folder>"
        ) from error
    return folder


def download(url: str, file: Path, sha256: str | None, num_bytes: int | None) -> Path:
    """Download a file and resume an earlier attempt.

    Args:
        url: http or https address.
        file: Target; `<file>.part` holds a partial download.
        sha256: Expected hash; None trusts the first download and saves its hash in `<file>.sha256`.
        num_bytes: Size of the file if known.

    Raises:
        ValueError: If the download fails, or the file has another hash (it is then removed).
    """
    expected = sha256 or _recorded(file)
    if file.is_file() and expected and _hash(file) == expected:
        return file
    part = file.with_name(file.name + ".part")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _append(url, part, num_bytes)
            break
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if refused or attempt == _ATTEMPTS:
                raise ValueError(
                    f"cannot download {url}: {error}; check the connection and run the same command again (it goes on "
                    f"from {_size(part) / 1e6:.1f} MB), or unpack the archive into {file.parent} by hand"
                ) from error
            log.warning("%s: %s; attempt %d of %d follows", url, error, attempt + 1, _ATTEMPTS)
            time.sleep(_PAUSE_S * 2 ** (attempt - 1))
    found = _hash(part)
    if expected and found != expected:
        part.unlink()
        raise ValueError(
            f"{url} has SHA-256 {found}, expected {expected}: damaged on the way or another file, removed; run the "
            "same command again, and if it repeats, the file on the server has changed"
        )
    if not expected:
        write_atomically(_record(file), found + "\n")
        log.warning("%s: no SHA-256 is known for it; trusting this first download (%s)", url, found)
    os.replace(part, file)
    return file


def _append(url: str, part: Path, num_bytes: int | None) -> None:
    """Download the rest of a `.part` file."""
    have = _size(part)
    if num_bytes is not None and have == num_bytes:
        return
    request = urllib.request.Request(url, headers={"User-Agent": "sr", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        if error.headers.get("Content-Range") == f"bytes */{have}":
            return  # complete already
        part.unlink()  # longer than the file on the server: another file
        raise ConnectionError(f"the server has less than the {have} bytes that were here; starting over") from error
    with response, open(part, "ab" if response.status == http.HTTPStatus.PARTIAL_CONTENT else "wb") as out:
        length = response.headers.get("Content-Length")
        total = out.tell() + int(length) if length else num_bytes
        if total and total - out.tell() > shutil.disk_usage(part.parent).free:
            raise OSError(f"{total / 1e9:.2f} GB are needed")
        _copy(response, out, part.name.removesuffix(".part"), total)
        if total is not None and out.tell() < total:
            raise ConnectionError(f"the connection ended after {out.tell()} of {total} bytes")


def _copy(response: http.client.HTTPResponse, out: BinaryIO, name: str, total: int | None) -> None:
    reported = time.monotonic()
    while block := response.read(_BLOCK):
        out.write(block)
        if time.monotonic() - reported > _REPORT_S:
            reported = time.monotonic()
            log.info("%s: %.0f of %s MB", name, out.tell() / 1e6, f"{total / 1e6:.0f}" if total else "?")


def extract(archive: Path, folder: str, root: Path) -> None:
    """Unpack one folder of a zip file completely or not at all.

    Args:
        archive: The zip file.
        folder: Top folder inside the archive; everything else is ignored.
        root: Folder to unpack into.

    Raises:
        ValueError: If the file is not a zip file or damaged, lacks the folder, or has a member outside the folder.
    """
    temporary = root / f".{folder}.{os.getpid()}"
    try:
        with zipfile.ZipFile(archive) as file:
            members = file.infolist()
            for member in members:
                _refuse_escape(archive, member)
            inside = [member for member in members if PurePosixPath(member.filename).parts[:1] == (folder,)]
            if not inside:
                raise ValueError(
                    f"{archive} has no folder {folder!r}; it is not the archive that was expected, remove it"
                )
            if sum(member.file_size for member in inside) > shutil.disk_usage(root).free:
                raise OSError(f"{sum(member.file_size for member in inside) / 1e9:.2f} GB are needed")
            file.extractall(temporary, inside)
        os.rename(temporary / folder, root / folder)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
    ) as error:  # RuntimeError: unknown compression or a password
        raise ValueError(
            f"{archive} is damaged or not a zip file ({error}); remove it and run the same command again"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _refuse_escape(archive: Path, member: zipfile.ZipInfo) -> None:
    name = member.orig_filename
    windows = PureWindowsPath(name)  # parses both separators, drives and shares
    link = stat.S_ISLNK(member.external_attr >> 16)
    if windows.drive or windows.root or ".." in windows.parts or "\0" in name or link:
        raise ValueError(
            f"{archive} holds {name!r}, which would be written outside its folder; do not use this archive"
        )


def _hash(file: Path) -> str:
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _record(file: Path) -> Path:
    return file.with_name(file.name + ".sha256")


def _recorded(file: Path) -> str | None:
    return _record(file).read_text().strip() if _record(file).is_file() else None
