"""Nothing is computed twice: commands as typed, one after the other, and what each of them does anew."""

import json
import re
from pathlib import Path

import pytest

from sr.building import compose
from sr.runs.folders import run_name
from tests.in_process import complete_here

pytestmark = [pytest.mark.aimet, pytest.mark.timeout(900)]

TINY = [
    "model=quicksrnet", "model.f=8", "model.m=1", "train.iterations=20", "train.chunk=4", "train.precision=fp32",
    "train.validate_every=20", "train.checkpoint_every=20", "data.batch_size=2", "data.lr_patch=16",
    "data.val_images=1", "data.val_crop=128", "quantization.calibration_batches=1", "size=64x96", "export=onnx",
    "quantization.stages.qat.iterations=4", "quantization.stages.qat.checkpoint_every=4", "export.num_crops=1",
    "export.crop_lr_side=48", "callbacks.cost.num_repeats=1", "callbacks.sensitivity=null", "logger=none",
]  # fmt: skip


def sr_run(outputs: Path, *overrides: str) -> str:
    """Complete the run of some overrides in this process, below `outputs`; returns what it printed."""
    composed = compose([*TINY, *overrides, f"hydra.sweep.dir={outputs}"], with_hydra=True)
    return complete_here(composed, outputs / composed.experiment / run_name([*TINY, *overrides]))


def made_by(printed: str) -> list[str]:
    """The stages that did work, in their order."""
    return re.findall(r"^(\w+) -> ", printed, re.MULTILINE)


def newest(outputs: Path) -> Path:
    return max(outputs.glob("*/*/report.json"), key=lambda path: path.stat().st_mtime_ns).parent


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> Path:
    outputs = tmp_path_factory.mktemp("reuse") / "outputs"
    done = sr_run(outputs, "quantization=w8a8_ptq")
    everything = ["evaluate", "evaluate", "quantize", "evaluate", "export", "evaluate", "images", "cost"]
    assert made_by(done) == everything
    return outputs


def test_another_scheme_trains_nothing_and_says_which_net_it_takes(outputs):
    first = newest(outputs)
    done = sr_run(outputs, "quantization=w8a8_qat")
    assert f"train: nothing is trained, the net of {first} is taken" in done
    assert made_by(done) == ["quantize", "evaluate", "export", "evaluate", "images", "cost"]
    report = json.loads((newest(outputs) / "report.json").read_text())
    assert report["training"]["iterations"] == 20 and report["made_by"]["train"]["reused_from"] == str(first)
    assert (newest(outputs) / "float/weights.safetensors").stat().st_nlink > 1


@pytest.mark.parametrize(
    ("overrides", "made"),
    [
        (["size=32x48"], ["export", "cost"]),  # what is scored takes images of any size
        (["data.val_crop=96"], None),  # held-out images belong to the training
        (["protocol=rgb"], ["evaluate", "evaluate", "evaluate", "evaluate"]),
        (["experiment=elsewhere"], []),
        (["callbacks.images.crop=64"], ["images"]),
    ],
)
def test_a_setting_repeats_what_it_changes_and_nothing_else(outputs, overrides, made):
    done = sr_run(outputs, "quantization=w8a8_ptq", *overrides)
    if made is None:
        assert "nothing is trained" not in done and "quantize" in made_by(done)
    else:
        assert made_by(done) == made


@pytest.mark.qnn
def test_another_chip_adds_its_compilation_and_another_engine_its_score(outputs):
    hexagon = ["quantization=w8a8_ptq", "export=hexagon", "export.emulate=[69]", "export.estimates=[SA8775P]"]
    assert made_by(sr_run(outputs, *hexagon, "export.chips=[SM8450]")) == ["export", "evaluate"]  # on the emulator
    parts, first = set((outputs / ".results/parts").iterdir()), newest(outputs)
    assert made_by(sr_run(outputs, *hexagon, "export.chips=[SM8450,SM8550]")) == ["export"]
    (added,) = set((outputs / ".results/parts").iterdir()) - parts
    assert json.loads((added / "part.json").read_text())["facts"]["chip"] == "SM8550"
    both = json.loads((newest(outputs) / "report.json").read_text())
    assert [each["chip"] for each in both["export"]["hexagon"]["contexts"]] == ["SM8450", "SM8550"]
    assert set(both["quality"]) == {"bicubic", "float", "simulated", "onnxruntime", "htp_v69"}
    assert hexagon_files(first).items() < hexagon_files(newest(outputs)).items(), "to the byte: compilations differ"
    engines = made_by(
        sr_run(outputs, *hexagon, "export.chips=[SM8450]", "+export/engine@export.engines.openvino=openvino")
    )
    assert engines == ["export", "evaluate"], "the score on OpenVINO"


def hexagon_files(run: Path) -> dict[str, str]:
    """The contexts of a run with their hashes."""
    files = json.loads((run / "export/certificate.json").read_text())["files"]
    return {name: marks["sha256"] for name, marks in files.items() if name.endswith((".bin", "SM8450.onnx"))}


def test_another_test_set_repeats_neither_quantization_nor_export(outputs, shared_data):
    done = sr_run(outputs, "quantization=w8a8_ptq", "data.test=[set5]")
    assert "quantize" not in made_by(done) and "train: nothing is trained" in done


def test_a_stage_can_be_made_again_and_everything_without_reuse(outputs):
    done = sr_run(outputs, "quantization=w8a8_ptq", "redo=[export]")
    assert made_by(done) == ["evaluate", "evaluate", "evaluate", "export", "evaluate", "cost"]
    done = sr_run(outputs, "quantization=w8a8_ptq", "experiment=alone", "reuse=never")
    assert "nothing is trained" not in done and made_by(done)[:3] == ["evaluate", "evaluate", "quantize"]
    with pytest.raises(ValueError, match="redo has exprot; the stages are"):
        sr_run(outputs, "quantization=w8a8_ptq", "redo=[exprot]")
    assert "is finished; nothing to do" in sr_run(outputs, "quantization=w8a8_ptq")


def test_a_finished_run_that_lost_a_file_makes_it_again_and_says_so(outputs):
    made_by(sr_run(outputs, "quantization=w8a8_ptq", "experiment=lost"))
    folder = newest(outputs)
    assert folder.parent.name == "lost"
    for name in ("float/weights.safetensors", "quantized/simulation.pt", "export/pixels.onnx"):
        (folder / name).unlink()
        done = sr_run(outputs, "quantization=w8a8_ptq", "experiment=lost", "reuse=never")
        assert f"was finished, but {name} was removed or changed: it is made again" in done
        assert (folder / name).is_file() and (folder / "report.json").is_file()


@pytest.mark.parametrize("text", ["", '{"experiment": "main", "qua', "[]"])
def test_an_empty_or_torn_report_is_written_again_and_nothing_else(outputs, text):
    made_by(sr_run(outputs, "quantization=w8a8_ptq"))
    report = outputs / "main" / run_name([*TINY, "quantization=w8a8_ptq"]) / "report.json"
    before = json.loads(report.read_text())
    report.write_text(text)
    assert made_by(sr_run(outputs, "quantization=w8a8_ptq")) == []
    assert json.loads(report.read_text()) | {"git": before["git"]} == before  # a commit may have come in between


def test_a_flipped_byte_in_the_simulation_is_found_and_repaired(outputs):
    made_by(sr_run(outputs, "quantization=w8a8_ptq", "experiment=flipped"))
    folder = newest(outputs)
    simulation = folder / "quantized/simulation.pt"
    content = bytearray(simulation.read_bytes())
    content[len(content) // 2] ^= 1
    simulation.unlink()  # the others keep theirs
    simulation.write_bytes(content)
    (folder / "report.json").unlink()
    done = sr_run(outputs, "quantization=w8a8_ptq", "experiment=flipped", "reuse=never")
    assert made_by(done)[0] == "quantize", "it is not the one that was written, so it is made again"
    assert simulation.read_bytes() != bytes(content)
