"""What a command advises is typed, and works: wrong arguments, the message, and the arguments that follow it."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from sr.api.command import main as export
from sr.bench.command import main as bench
from sr.dashboard.serve import Live, server
from sr.data.command import main as cache
from sr.experiment import compose, made
from sr.models.weights import FLOAT_WEIGHTS, save_weights
from sr.pretrained import find
from sr.report.command import main as report
from sr.upscale.command import main as upscale
from sr.upscale.opened_net import PIXEL_FILES
from tests.api import foreign_net

COMMANDS = {"upscale": upscale, "export": export, "bench": bench, "data": cache, "report": report}
CASES = [
    ("upscale {photo} {out} --net {onnx} --scale 3", "; leave --scale out, or give another net", [
        "upscale {photo} {out} --net {onnx}",
        "upscale {photo} {out} --net quicksrnet_small --scale 3",
    ]),
    ("upscale {photo} {out} --net {onnx} --device cuda", "runs on the CPU: leave it out", [
        "upscale {photo} {out} --net {onnx}",
    ]),
    ("upscale {photo} {out} --device nowhere", "; give --device cpu", ["upscale {photo} {out} --device cpu"]),
    ("upscale {photo} {out} --net {onnx} --runtime torch", "run it with --runtime onnxruntime, openvino or litert", [
        f"upscale {{photo}} {{out}} --net {{onnx}} --runtime {runtime}"
        for runtime in ("onnxruntime", "openvino", "litert")
    ]),
    ("upscale {photo} {out} --net {onnx} --precision fp32", " net; leave --precision out, or give another file", [
        "upscale {photo} {out} --net {onnx}",
    ]),
    ("upscale {photo} {out} --precision int8 --runtime torch", "INT8 runs with --runtime onnxruntime, openvino or", [
        "upscale {photo} {out} --precision int8 --runtime onnxruntime",
    ]),
    ("upscale {photo} {out} --net {run} --precision int8", "was not quantized and exported; use --precision fp32", [
        "upscale {photo} {out} --net {run} --precision fp32",
    ]),
    ("upscale {photo} {out} --crf 5", ": only for a video, and ", ["upscale {photo} {out}"]),
    ("upscale {twins} {folder}", " would both become ", ["upscale {renamed} {folder}"]),
    ("upscale {photo} {photo}", "; give the large one another name", ["upscale {photo} {out}"]),
    ("export {net}:Foreign --target onnx --size 90x120 --to {folder}", " has random weights; give --weights ", [
        "export {net}:Foreign --target onnx --size 90x120 --to {folder} --weights {weights}",
    ]),
    ("export {net}:needy --target onnx --size 90x120 --to {folder}", "; give --arguments NAME=VALUE", [
        "export {net}:needy --target onnx --size 90x120 --to {folder} --arguments channels=3",
    ]),
    ("bench htp export=onnx model=quicksrnet_small size=64x96", "leave export= out, or give export=hexagon", [
        "bench htp model=quicksrnet_small size=64x96", "bench htp export=hexagon model=quicksrnet_small size=64x96",
    ]),
    ("bench htp export.estimates=[] model=quicksrnet_small size=64x96", "leave it out, or give export.estimates=", [
        "bench htp export.estimates=[SA8775P] model=quicksrnet_small size=64x96",
    ]),
    ("data --cache {out}", "; give one with --cache or SR_CACHE", ["data --cache {twins}"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Small pictures and nets."""
    root = tmp_path_factory.mktemp("commands")
    photo = Image.fromarray(data.astronaut()[100:160, 100:180])
    for name in ("photo.png", "twins/a.png", "twins/a.tga", "renamed/a.png", "renamed/b.jpg"):
        (root / name).parent.mkdir(exist_ok=True)
        photo.save(root / name)
    config = compose(["logger=none"])
    save_weights(made(config.model), root / "run" / FLOAT_WEIGHTS, {"config": {"model": dict(config.model)}})
    source = Path(foreign_net.__file__).read_text(encoding="utf-8")
    (root / "net.py").write_text(f"{source}\n\ndef needy(channels):\n    return build(int(channels))\n")
    save_weights(foreign_net.build(), root / "foreign.safetensors", {})
    (onnx,) = find("quicksrnet_small", 2).glob(PIXEL_FILES)
    files = {"photo": "photo.png", "net": "net.py", "weights": "foreign.safetensors"}
    return {name: (root / files.get(name, name)).as_posix() for name in (*files, "twins", "renamed", "run")} | {
        "onnx": onnx.as_posix()
    }


@pytest.fixture
def answer(places: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Function from a command line to what it prints on stderr if it fails, else an empty text."""

    def answered(line: str) -> str:
        for name, path in {**places, "out": f"{tmp_path}/out.png", "folder": f"{tmp_path}/out"}.items():
            line = line.replace(f"{{{name}}}", path)
        command, *arguments = shlex.split(line)
        status = COMMANDS[command](arguments)
        said = capsys.readouterr().err
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        return said if status else ""

    return answered


@pytest.mark.aimet
@pytest.mark.qnn
@pytest.mark.parametrize(("wrong", "message", "advice"), CASES, ids=[case[0] for case in CASES])
def test_the_advice_works(wrong: str, message: str, advice: list[str], answer: Callable[[str], str]) -> None:
    assert message in answer(wrong)
    for line in advice:
        assert answer(line) == ""


def test_a_report_without_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report([str(tmp_path)]) == 0
    assert "; `python -m sr.run` makes one." in "".join(capsys.readouterr())


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    live = Live([tmp_path], lambda: ({}, []))
    with server(live, "127.0.0.1", 0) as first:
        with pytest.raises(ValueError, match="; choose another with --port"):
            server(live, "127.0.0.1", first.server_address[1])
        server(live, "127.0.0.1", 0).server_close()
