"""A run folder that somebody sent: each of its files carries a payload, and every command that reads it is run."""

import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from onnx import TensorProto, helper

from sr.bench.command import main as bench
from sr.config.composition import plain
from sr.config.targets import build_node
from sr.dashboard.command import main as dashboard
from sr.doctor.command import check_image_sets
from sr.experiment import build, compose, run
from sr.models.weights import FLOAT_WEIGHTS, save_weights
from sr.pretrained.add import add
from sr.pretrained.catalogue import load
from sr.pretrained.command import main as pretrained
from sr.pretrained.trained import trained
from sr.report.command import main as report
from sr.runs.files import read_json, write_json

SCORE = {"psnr_y_db": 31.2, "ssim_y": 0.9, "num_images": 5, "protocol": "y", "per_image": []}
NET = ["model=quicksrnet_small", "model.m=0", "model.f=4", "logger=none", "train.iterations=0"]
PAYLOADS: dict[str, Callable[[str], dict[str, Any]]] = {
    "a command": lambda marker: {"_target_": "os.system", "command": f"touch {marker}"},
    "python": lambda marker: {"_target_": "builtins.exec", "_args_": [f"open({marker!r}, 'w')"]},
    "a process": lambda marker: {"_target_": "subprocess.check_call", "args": ["touch", marker]},
    "our own writer": lambda marker: {"_target_": "sr.runs.files.write_atomically", "path": marker, "content": ""},
    "a log": lambda marker: {"_target_": "logging.FileHandler", "filename": marker},
    "a pickle": lambda marker: {"_target_": "torch.load", "f": f"{marker}.pickle", "weights_only": False},
    "an array": lambda marker: {"_target_": "numpy.load", "file": f"{marker}.pickle", "allow_pickle": True},
    "a table": lambda marker: {"_target_": "pandas.read_pickle", "filepath_or_buffer": f"{marker}.pickle"},
    "a logger": lambda marker: {"_target_": "lightning.pytorch.loggers.CSVLogger", "save_dir": marker},
    "hydra": lambda marker: {"_target_": "hydra.utils.instantiate", "config": {"_target_": "pathlib.Path.touch"}},
    "in a net": lambda marker: {
        "_target_": "sr.models.interpolation.Bicubic",
        "scale": {"_target_": "os.system", "command": f"touch {marker}"},
    },
    "in a narrow net": lambda marker: {
        "_target_": "sr.pruning.narrowed.narrow",
        "net": {"_target_": "os.system", "command": f"touch {marker}"},
        "removed": [],
        "widths": {},
    },
}


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.marker, "w")


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    """The config of a run of a small net."""
    return plain(compose(NET))


@pytest.fixture
def marker(tmp_path: Path) -> str:
    """A file that only a payload creates, and a pickle that creates it."""
    path = str(tmp_path / "marker")
    Path(f"{path}.pickle").write_bytes(pickle.dumps(Payload(path)))
    return path


@pytest.fixture(params=PAYLOADS)
def sent(request: pytest.FixtureRequest, config: dict[str, Any], marker: str, tmp_path: Path) -> Iterator[Path]:
    """A run folder, each file of which carries the payload; at the end nothing of it was run."""
    folder = tmp_path / "sent" / "run"
    model = PAYLOADS[request.param](marker)
    evil = {**config, "model": model, "scheduler": model, "callbacks": {"x": model}}
    save_weights(build_node(config["model"]), folder / FLOAT_WEIGHTS, {"config": evil})
    (folder / "config.yaml").write_text(yaml.safe_dump(evil))
    write_report(folder, evil)
    write_json(folder / "narrow/narrow.json", {"removed": [], "widths": {}, "model": model, "weights": "../../x.ckpt"})
    write_json(folder / "failed.json", {"error": model, "traceback": ["x"]})
    write_json(folder / "data.json", {"fingerprint": model})
    write_json(folder / "images/images.json", {"layers": [{"set": "../x", "image": "/y", "files": {"hr": marker}}]})
    write_json(folder / "export/certificate.json", {"inputs": {}, "files": {f"{marker}.pickle": {}}})
    for name in ("checkpoints/last.ckpt", "quantized/simulation.pt", "quantized/last.ckpt", "quantized/weights.pt"):
        (folder / name).parent.mkdir(exist_ok=True)
        torch.save({"state_dict": {"w": Payload(marker)}}, folder / name)
    (folder / ".hydra").mkdir()
    (folder / ".hydra/config.yaml").write_text(yaml.safe_dump(evil))
    (folder / ".hydra/overrides.yaml").write_text(f"- !!python/object/apply:os.system ['touch {marker}']\n")
    (folder / "hydra_plugins").mkdir()
    (folder / "sitecustomize.py").write_text(f"open({marker!r}, 'w')")
    write_onnx(folder / "export/float.onnx", f"{marker}.pickle")
    yield folder
    assert not Path(marker).exists(), "the payload ran"
    assert Path(f"{marker}.pickle").is_file(), "a file elsewhere was removed"


def write_report(folder: Path, config: dict[str, Any]) -> None:
    """A finished run's report, with the payload wherever text or mappings are free."""
    free = {name: config["model"] for name in ("git", "versions", "data", "cost", "export")}
    report = {
        "experiment": "../x", "run": "/y", "status": "finished", "schema_version": 1, "protocol": "y", "config": config,
        "quality": {"float": {"../../x": SCORE}}, "training": {"iterations": 5, "seconds": 1.5}, "stage_seconds": {},
    }  # fmt: skip
    write_json(folder / "report.json", report | free)


def write_onnx(path: Path, location: str) -> None:
    """An ONNX file whose weights are said to lie elsewhere."""
    weights = TensorProto(name="w", data_type=1, dims=[4], data_location=TensorProto.EXTERNAL)
    weights.external_data.add(key="location", value=f"../../../{Path(location).name}")
    result = helper.make_tensor_value_info("y", 1, [4])
    graph = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "g", [], [result], [weights])
    path.write_bytes(helper.make_model(graph).SerializeToString())


def refused(command: Callable[[], Any], match: str) -> None:
    """Expect a ValueError of one line."""
    with pytest.raises(ValueError, match=match) as caught:
        command()
    assert len(str(caught.value).splitlines()) == 1 and len(str(caught.value)) < 600


CLASS = r"names the class '.*', and a file may only name nets of this project; nothing was run"


def test_report(sent: Path, capsys):
    for form in ("text", "json", "csv", "markdown", "latex"):
        assert report([str(sent), "--format", form]) == 0
    (sent / "report.json").unlink()  # then the config is read
    assert report([str(sent), "--published"]) == 0


def test_dashboard(sent: Path, tmp_path: Path, capsys):
    assert dashboard([str(sent), "--to", str(tmp_path / "page.html")]) == 0
    (sent / "report.json").unlink()
    assert dashboard([str(sent), "--to", str(tmp_path / "page.html")]) == 0


def test_bench_infer(sent: Path, capsys):
    for _ in ("narrow.json", "config.yaml"):  # the first replaces the net of the second
        assert bench(["infer", "--run", str(sent), "--rounds", "1", "size=18x32"]) == 1
        error = capsys.readouterr().err
        assert "and a file may only name nets of this project; nothing was run" in error and error.count("\n") == 1
        (sent / "narrow/narrow.json").unlink(missing_ok=True)


@pytest.mark.parametrize("sent", ["a command"], indirect=True)
def test_an_onnx_file_reads_nothing_elsewhere(sent: Path, capsys):
    file = str(sent / "export/float.onnx")
    assert bench(["infer", "--onnx", file, "--rounds", "1", "size=18x32", *NET[:3]]) == 1
    assert "points outside the directory" in capsys.readouterr().err


def test_teacher(sent: Path):
    for source in (sent, sent / FLOAT_WEIGHTS):
        refused(lambda source=source: trained(str(source), scale=2), CLASS)
    refused(lambda: trained(str(sent / "checkpoints/last.ckpt"), scale=2), "holds Python objects, which are not loaded")
    task = ["task=distillation", f"task.teacher.source={sent}"]
    refused(lambda: build(compose([*NET, *task])), CLASS)


@pytest.mark.parametrize("sent", ["a command"], indirect=True)
def test_init_and_blend(sent: Path):
    refused(lambda: build(compose([*NET, f"init={sent}"])), "holds Python objects, which are not loaded for safety")
    (sent / "checkpoints/last.ckpt").unlink()
    task, _ = build(compose([*NET, f"init={sent}", f"blend={sent}"]))
    assert task.net.scale == 2, "tensors are read, and nothing else of the file"


def test_resume(sent: Path, config: dict[str, Any]):
    (sent / "config.yaml").write_text(yaml.safe_dump(config))  # else it is refused for its settings
    again = compose(NET)
    refused(lambda: run(again, sent, lambda config: sent), "holds Python objects, which are not loaded for safety")
    (sent / "checkpoints/last.ckpt").unlink()
    pruned = compose([*NET, "filters=given", f"init={sent}"])
    refused(lambda: run(pruned, sent, lambda config: sent), CLASS)


def test_pretrained(sent: Path, tmp_path: Path, capsys):
    nets = tmp_path / "nets"
    refused(lambda: add(sent, "net", nets), rf"{CLASS}|report.json: .* is (non-empty )?text, got")
    assert pretrained(["add", str(sent), "--name", "net"]) == 1
    assert re.search("nothing was run|is (non-empty )?text", capsys.readouterr().err)
    assert not nets.exists()


def test_a_card(sent: Path, tmp_path: Path, config: dict[str, Any]):
    """One that was changed after it was added."""
    model = read_json(sent / "report.json")["config"]["model"]
    write_report(sent, {**config, "init": None})
    write_json(sent / "report.json", {**read_json(sent / "report.json"), "export": {}, "versions": {}})
    (sent / "checkpoints/last.ckpt").unlink()
    refused(
        lambda: add(sent, "net", tmp_path / "nets"), r"overrides.yaml is not a YAML file to read: .*python/object/app"
    )
    (sent / ".hydra/overrides.yaml").write_text("- scale=2")
    add(sent, "net", tmp_path / "nets")
    card = tmp_path / "nets/net_x2/card.json"
    write_json(card, {**read_json(card), "net": model})
    refused(lambda: load("net", scale=2, nets=tmp_path / "nets"), CLASS)


@pytest.mark.parametrize("sent", ["a command"], indirect=True)
def test_doctor(sent: Path):
    for name in ("Set5", "train/T91"):
        (sent / name).mkdir(parents=True)
        for index in range(5):
            (sent / name / f"{index}.png").write_bytes(pickle.dumps(Payload(str(sent / "../../marker"))))
    (sent / "MANIFEST.csv").write_text("=cmd|' /C calc'!A0")
    states = {finding.what: finding.state for finding in check_image_sets(sent, [], skip_slow=True)}
    assert states["bicubic on set5"] == "broken"
