"""Add the net of a finished run to the pretrained nets."""

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock
from safetensors.torch import save

from sr.config import targets
from sr.cost.count import count_parameters
from sr.models.weights import FLOAT_WEIGHTS, read_weights
from sr.pretrained.card import FLOAT, Card, file_facts
from sr.pretrained.catalogue import NETS, PREFIX, deployed_net, find
from sr.pretrained.licence import licence_of
from sr.report.record import REPORT_NAME as REPORT
from sr.report.record import Report, read_report
from sr.runs.files import read_yaml
from sr.runs.names import check_name, inside
from sr.runs.replacement import replace_folder

QUANTIZED = {
    "export/aimet/net.onnx": "{scheme}.onnx",
    "export/aimet/net.encodings": "{scheme}.encodings",
    "export/dcr.onnx": "{scheme}_qdq_dcr.onnx",
    "export/pixels_[0-9]*.onnx": "{scheme}_qdq_{stem}.onnx",
}
"""Pattern of an export file in the run -> name in `nets/`; the last file takes uint8 pixels (NHWC) of one size."""
CARD_TRAINING = ("precision", "ema_decay", "budget")
SUMMED = ("iterations", "seconds")


def add(run: Path, name: str, nets: Path = NETS) -> Path:
    """Copy the result of a finished run to the pretrained nets, and replace an older version.

    The folder is replaced completely or not at all.

    Args:
        run: The run folder.
        name: Preset of conf/model that was trained.
        nets: Folder of the pretrained nets.

    Returns:
        The new folder.

    Raises:
        ValueError: If the name is not a folder name, the class of the net is not of this package, or the run is
            unfinished, incomplete, or started from a run that does not exist.
    """
    check_name("--name", name)
    if not (run / REPORT).is_file():
        raise ValueError(f"{run} has no {REPORT}, so it is not finished; run its command again to resume it")
    report = read_report(run / REPORT)
    targets.check_net(report.config.get("model"), source=str(run / REPORT))
    place = nets / Card.folder_of(name, report.scale)
    work = place.with_name(f".{place.name}.new")
    nets.mkdir(parents=True, exist_ok=True)
    with FileLock(nets.with_name(f".{nets.name}.lock")):  # another process that adds a net waits
        shutil.rmtree(work, ignore_errors=True)  # left by a killed process
        work.mkdir()
        try:
            _fill(work, run, name, report)
            replace_folder(work, place)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return place


def _fill(work: Path, run: Path, name: str, report: Report) -> None:
    """Copy the files of a run and write the card."""
    scheme = (report.config.get("quantization") or {}).get("name", "") if report.export else ""
    (work / FLOAT).write_bytes(save(read_weights(run / FLOAT_WEIGHTS)))
    for pattern, target in QUANTIZED.items() if scheme else ():
        check_name(f"{run / REPORT}: the name of the quantization", scheme)
        source = _only(run, pattern)
        shutil.copyfile(source, work / target.format(scheme=scheme, stem=source.stem))
    files = {path.name: file_facts(path) for path in sorted(work.iterdir())}
    try:
        _card(run, name, scheme, report, files).write(work)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{run / REPORT} lacks a value of the card ({type(error).__name__}: {error})") from error
    Card.read(work)


def _only(run: Path, pattern: str) -> Path:
    found = sorted(run.glob(pattern))
    if len(found) != 1:
        raise ValueError(f"{run} needs one file {pattern} and has {len(found)}; run its command again")
    return inside(run, found[0].relative_to(run).as_posix())


def training_history(run: Path, later: tuple[Path, ...] = ()) -> list[tuple[str, dict[str, Any]]]:
    """Return command and training of a run, after those of the runs that it started from.

    Args:
        run: The run folder.
        later: Runs that started from this one.

    Returns:
        [(command, training of its report)], the oldest first.

    Raises:
        ValueError: If a run that it started from is not there, or a command is missing.
    """
    if run.resolve() in later:
        raise ValueError(
            f"{run / REPORT}: the run starts from itself; a card needs the commands of all runs of its net"
        )
    report = read_report(run / REPORT)
    init, own = report.config.get("init"), (command_of(run), report.training)
    if init is None:
        return [own]
    if init.startswith(PREFIX):
        card = Card.read(find(init.removeprefix(PREFIX), report.scale))
        return [(card.commands[0], card.training), *((command, {}) for command in card.commands[1:]), own]
    before = Path(init.removesuffix(FLOAT_WEIGHTS))  # the run folder, also if `init` names its weights
    if not (before / REPORT).is_file():
        raise ValueError(
            f"{run} started from {init}, which is not a finished run; a card needs the commands of all runs of its net"
        )
    return [*training_history(before, (*later, run.resolve())), own]


def _card(run: Path, name: str, scheme: str, report: Report, files: dict[str, dict[str, Any]]) -> Card:
    history = training_history(run)
    sources = report.data.get("train_sources") or []
    return Card(
        name=name,
        scale=report.config["scale"],
        net=report.config["model"],
        parameters=counted_parameters(report.config["model"], run / FLOAT_WEIGHTS),
        commands=[command for command, _ in history],
        protocol=report.protocol,
        quality={
            stage: {name: _means(score) for name, score in sets.items()}
            for stage, sets in report.quality.items()
            if sets
        },
        training={key: sum(training.get(key, 0) for _, training in history) for key in SUMMED}
        | {key: report.training[key] for key in CARD_TRAINING if key in report.training},
        data={key: report.data[key] for key in ("fingerprint", "train_sources", "num_images") if key in report.data},
        licence=licence_of(sources),
        quantization=scheme,
        versions=report.versions,
        commit=report.git.get("commit", ""),
        files=files,
    )


def counted_parameters(model: Mapping[str, Any], weights: Path) -> dict[str, int]:
    """Count the weights and biases of a net in its inference form: {"trainable", "frozen"}.

    Args:
        model: `_target_` and arguments, as in the config of a run.
        weights: File of its weights.
    """
    return count_parameters(deployed_net(model, read_weights(weights), source=str(weights)))._asdict()


def _means(score: Mapping[str, Any]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in score.items() if isinstance(value, float)}


def command_of(run: Path) -> str:
    """Return the command line of a run without the settings of its machine."""
    path = run / ".hydra/overrides.yaml"
    overrides = read_yaml(path)
    if not isinstance(overrides, list) or not all(isinstance(item, str) and item.isprintable() for item in overrides):
        raise ValueError(f"{path} is not a list of one-line settings; a card needs the command of the run")
    kept = [shlex.quote(item) for item in overrides if not item.startswith(("machine.", "logger", "hydra."))]
    return " ".join(["python -m sr.run", *kept])
