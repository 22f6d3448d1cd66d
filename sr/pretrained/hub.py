"""Push pretrained nets to the Hugging Face hub, and pull them from there."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sr.config.targets import check_net
from sr.models.weights import read_weights
from sr.pretrained.card import CARD, FLOAT, Card
from sr.pretrained.catalogue import NETS, deployed_net, find
from sr.pretrained.hub_card import model_card
from sr.runs.names import check_name
from sr.runs.replacement import replace_folder

PULLED = ("*.json", "*.safetensors", "*.onnx", "*.encodings", "README.md")
"""Files that are taken from a repository; no code and no pickles."""
MAX_PULLED_MIB = 200
PULLED_SCALES = (1.5, 2, 3, 4)


def push(name: str, repo: str, *, scale: float, nets: Path = NETS, private: bool = False) -> str:
    """Upload a pretrained net with a generated model card; the repository is made if it does not exist.

    Args:
        name: Of the pretrained net.
        repo: <owner>/<name> on the hub.
        scale: 1.5, 2, 3 or 4.
        nets: Folder of the pretrained nets.
        private: Whether a new repository is private.

    Returns:
        Address of the commit.

    Raises:
        ValueError: There is no such net, no token, or the hub refuses.
    """
    folder = find(name, scale, nets)
    card = Card.read(folder)
    with _plain_errors(repo) as hub, tempfile.TemporaryDirectory() as temporary:
        if hub.get_token() is None:
            raise ValueError("pushing needs a token of the hub: run `hf auth login`, or set HF_TOKEN")
        for file in (CARD, *card.files):
            shutil.copyfile(folder / file, Path(temporary, file))
        Path(temporary, "README.md").write_text(model_card(card), encoding="utf-8")
        api = hub.HfApi(library_name="sr-mobile")
        api.create_repo(repo, private=private, exist_ok=True)
        made = api.upload_folder(repo_id=repo, folder_path=temporary, commit_message=f"{card.name} x{card.scale:g}")
        return str(made.commit_url)


def pull(repo: str, *, name: str | None = None, revision: str | None = None, nets: Path = NETS) -> Path:
    """Download a net that was pushed, check it as a file of a stranger, and add it to the pretrained nets.

    Args:
        repo: <owner>/<name> on the hub.
        name: Name here; None: that of its card.
        revision: Branch, tag or commit.
        nets: Folder of the pretrained nets.

    Returns:
        The new folder.

    Raises:
        ValueError: There is no such repository, it holds no net of this project, or the name is taken.
    """
    nets.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pull.", dir=nets) as temporary:
        work = Path(temporary, "net")
        with _plain_errors(repo) as hub:
            found = hub.HfApi().model_info(repo, revision=revision, files_metadata=True)
            size = sum(file.size or 0 for file in found.siblings or ())
            if size > MAX_PULLED_MIB * 2**20:
                raise ValueError(f"{repo} has {size >> 20} MiB; nets of this project have below {MAX_PULLED_MIB}")
            hub.snapshot_download(repo, revision=found.sha, local_dir=work, allow_patterns=list(PULLED))
        card = _checked_card(work, repo)
        card = replace(card, name=check_name("--name", name or card.name))
        place = nets / card.folder
        if place.exists():
            raise ValueError(f"there is a pretrained {card.name} x{card.scale:g} already; give this one another --name")
        for path in work.iterdir():  # what the card does not name, and the notes of the hub's client
            if path.name not in card.files:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        card.write(work)
        replace_folder(work, place)
    return place


def _checked_card(folder: Path, repo: str) -> Card:
    """Read the card of a stranger, and build its net from the allowed classes.

    Raises:
        ValueError: There is none, it is not of this layout, a file does not match it, or the net cannot be built.
    """
    if not (folder / CARD).is_file():
        raise ValueError(f"{repo} has no {CARD}: it holds no net that `sr pretrained push` wrote")
    try:
        check_net(json.loads((folder / CARD).read_text(encoding="utf-8"))["net"], source=f"{repo}/{CARD}")
        card = Card.read(folder)
        if card.scale not in PULLED_SCALES or FLOAT not in card.files:
            raise ValueError(f"its scale is {card.scale!r}, or it lacks {FLOAT}")
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{repo}: its {CARD} is not of this layout ({type(error).__name__}: {error})") from error
    deployed_net(card.net, read_weights(folder / FLOAT), source=f"{repo}/{FLOAT}")
    return card


@contextmanager
def _plain_errors(repo: str) -> Iterator[Any]:
    """Yield the package huggingface_hub; its errors become one line that says what to do."""
    try:
        import huggingface_hub as hub
        from huggingface_hub.utils import disable_progress_bars
    except ImportError as error:
        raise ValueError("this needs huggingface_hub: pip install 'sr-mobile[hub]'") from error
    try:
        disable_progress_bars()
        yield hub
    except Exception as error:
        if text := _in_plain_words(error, repo):
            raise ValueError(text) from error
        raise


def _in_plain_words(error: Exception, repo: str) -> str:
    """Return what an error of the hub's client means; empty for an error that is not the client's."""
    from huggingface_hub import errors
    from huggingface_hub.constants import ENDPOINT

    status = getattr(getattr(error, "response", None), "status_code", "")
    advice = "set HF_TOKEN to a token that may do this" if status in (401, 403) else "try again later"
    reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
    missing = f"there is no {repo} at {ENDPOINT}, or it is private: check the name, or set HF_TOKEN to a token for it"
    meanings: list[tuple[Any, str]] = [
        (errors.HFValidationError, f"{repo!r} is no repository: give <owner>/<name>"),
        (errors.GatedRepoError, f"{repo} is gated: ask for access on its page at {ENDPOINT}, and set HF_TOKEN"),
        (errors.RepositoryNotFoundError, missing),
        (errors.RevisionNotFoundError, f"{repo} has no such revision; leave --revision out for the newest"),
        (errors.LocalEntryNotFoundError, f"{ENDPOINT} cannot be reached ({reason}); try again online"),
        (errors.OfflineModeIsEnabled, f"{ENDPOINT} cannot be reached (HF_HUB_OFFLINE is set); unset it"),
        (errors.HfHubHTTPError, f"{ENDPOINT} refused {repo} (HTTP {status}): {advice}"),
        ((ConnectionError, TimeoutError), f"{ENDPOINT} cannot be reached ({reason}); try again online"),
    ]
    if type(error).__module__.startswith(("httpx", "httpcore")):
        return f"{ENDPOINT} cannot be reached ({reason}); try again online"
    return next((text for kind, text in meanings if isinstance(error, kind)), "")
