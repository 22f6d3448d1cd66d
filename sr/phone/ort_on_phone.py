"""ONNX Runtime on a phone: its programs, the test data that they read, and what their output says.

onnxruntime_perf_test times, and onnx_test_runner compares. Neither writes pixels. The second tells the largest
difference and how many values differ, of floats: so the compiled net gets a cast behind it.
"""

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sr.export.hexagon.chips import CHIPS
from sr.export.kit.phone_kit import read_expected
from sr.phone.opened_kit import ChosenModels, OpenedKit
from sr.phone.phone_runtimes import WARMUP, Measured, RuntimePlan, summary
from sr.phone.qairt import check_version, find_sdk, sdk_files

PROGRAMS = ("onnxruntime_perf_test", "onnx_test_runner")
_LIBRARY, _PLUGIN = "libonnxruntime.so", "libonnxruntime_providers_qnn.so"
_OF_NET_RUN = ("qnn-net-run", "libQnnHtpNetRunExtensions.so")
_OPTIONS = "backend_path|libQnnHtp.so htp_performance_mode|burst"
_DIFFERS = re.compile(r"diff: ([\d.e+]+),.*?(\d+) of (\d+) differ")
_SAME = re.compile(r"Succeeded: 1\b")
_WHERE = "onnxruntime's build for Android with --use_qnn"


def plan_ort(tool: Path | None, sdk: Path | None, chip: str, compiler: str) -> RuntimePlan:
    """Return what ONNX Runtime with the QNN execution provider needs.

    Args:
        tool: onnxruntime_perf_test, with onnx_test_runner and, unless it is linked in, libonnxruntime.so beside it.
        sdk: Folder of the QAIRT SDK; None takes an environment variable.
        chip: Part number.
        compiler: QAIRT version that the files were compiled by.

    Raises:
        ValueError: A program or the SDK is missing, or the SDK is older than the compiler.
    """
    if tool is None or not tool.is_file():
        raise ValueError(
            f"--runtime ort needs {PROGRAMS[0]} for Android (arm64), got {tool or 'none'}: it is in {_WHERE}; give "
            "--tool <file>"
        )
    runner = tool.parent / PROGRAMS[1]
    if not runner.is_file():
        raise ValueError(f"{runner} is missing: copy it there from {_WHERE}; it compares the pixels")
    found = find_sdk(sdk)
    version = check_version(found, compiler)
    files = {name: path for name, path in sdk_files(found, CHIPS[chip].arch).items() if name not in _OF_NET_RUN}
    beside = {name: tool.parent / name for name in (_LIBRARY, _PLUGIN) if (tool.parent / name).is_file()}
    provider = ["-e", "qnn", "-i", _OPTIONS]
    if _PLUGIN in beside:
        name = "QNNExecutionProvider"
        libraries = ["--plugin_ep_libs", f"{name}|{_PLUGIN}"]
        provider = [*libraries, "--plugin_eps", name, "--plugin_ep_options", _OPTIONS]
    return RuntimePlan(
        files={PROGRAMS[0]: tool, PROGRAMS[1]: runner, **files, **beside},
        programs=PROGRAMS,
        model=".onnx",
        version=f"ONNX Runtime, QAIRT {version}",
        arguments=provider,
    )


def write_tests(kit: OpenedKit, models: ChosenModels, folder: Path) -> dict[str, Path]:
    """Write the models with a cast behind them, and each frame with what it has to become.

    Args:
        kit: The kit.
        models: Models that run.
        folder: Folder for the files.

    Returns:
        Name on the phone -> file.
    """
    made: dict[str, Path] = {}
    frames = [(models.frame, kit.frame), *((models.crops, crop) for crop in kit.crops if models.crops)]
    for model, frame in frames:
        assert model is not None
        source = next(kit.folder / name for name in model["files"] if name.endswith(".onnx"))
        net = onnx.load(str(source), load_external_data=False)
        entry, result = net.graph.input[0].name, net.graph.output[0].name
        content = read_expected(kit.folder, model["form"], frame["name"], int(np.prod(frame["sr"])))
        wanted = np.frombuffer(content, np.uint8).reshape(1, *frame["sr"]).astype(np.float32)
        given = np.fromfile(kit.folder / f"inputs/{frame['name']}.raw", np.uint8).reshape(1, *frame["lr"])
        _cast_to_float(net)
        name = frame["name"]
        made |= {f"{name}.{what}": folder / f"{name}.{what}" for what in ("float.onnx", "input.pb", "output.pb")}
        (folder / f"{name}.float.onnx").write_bytes(net.SerializeToString())
        for array, tensor, what in ((given, entry, "input"), (wanted, f"{result}_float", "output")):
            (folder / f"{name}.{what}.pb").write_bytes(numpy_helper.from_array(array, tensor).SerializeToString())
    return made


def _cast_to_float(net: onnx.ModelProto) -> None:
    """Put a cast to float behind the output, on the CPU: bytes are only compared for equality, up to the first."""
    output = net.graph.output[0]
    name = output.name
    net.graph.node.append(helper.make_node("Cast", [name], [f"{name}_float"], to=TensorProto.FLOAT))
    shape = [each.dim_value for each in output.type.tensor_type.shape.dim]
    net.graph.value_info.append(helper.make_tensor_value_info(name, TensorProto.UINT8, shape))
    net.graph.output[0].CopyFrom(helper.make_tensor_value_info(f"{name}_float", TensorProto.FLOAT, shape))


def read_differences(out: Path, kit: OpenedKit, models: ChosenModels) -> dict[str, dict[str, Any]]:
    """Return what onnx_test_runner said of each frame: the largest difference, and the share of differing values.

    Args:
        out: Folder that was pulled.
        kit: The kit.
        models: Models that ran.

    Raises:
        ValueError: A frame was not run; the message has the end of its log.
    """
    found: dict[str, dict[str, Any]] = {}
    for frame in [*(kit.crops if models.crops else []), kit.frame]:
        log = (out / f"{frame['name']}.log").read_text(encoding="utf-8", errors="replace")
        if told := _DIFFERS.search(log):
            share = int(told[2]) / int(told[3])
            found[frame["name"]] = {"largest_lsb": round(float(told[1])), "differing_share": share}
        elif _SAME.search(log):
            found[frame["name"]] = {"largest_lsb": 0, "differing_share": 0.0}
        else:
            end = " | ".join(line.strip() for line in log.splitlines()[-4:] if line.strip()) or "it printed nothing"
            raise ValueError(f"onnx_test_runner did not compare {frame['name']}: {end}; see docs/phone.md")
    return found


def expected_if_same(
    kit: OpenedKit, models: ChosenModels, told: Mapping[str, Mapping[str, Any]]
) -> dict[str, np.ndarray] | None:
    """Return the pixels of all frames, which are those of the kit; None if a value differs.

    Args:
        kit: The kit.
        models: Models that ran.
        told: Result of `read_differences`.
    """
    if any(row["largest_lsb"] for row in told.values()):
        return None
    form = models.frame["form"]
    frames = [frame for frame in kit.manifest["frames"] if frame["name"] in told]
    contents = {
        each["name"]: read_expected(kit.folder, form, each["name"], int(np.prod(each["sr"]))) for each in frames
    }
    return {each["name"]: np.frombuffer(contents[each["name"]], np.uint8).reshape(each["sr"]) for each in frames}


def ort_measured(out: Path) -> Measured:
    """Return what onnxruntime_perf_test wrote about its passes.

    Args:
        out: Folder that was pulled.
    """
    file = out / "passes.csv"
    rows = list(csv.reader(file.open(encoding="utf-8", errors="replace"))) if file.is_file() else []
    seconds = [float(row[1]) for row in rows if len(row) > 2]
    passes = [each * 1e6 for each in seconds][WARMUP:]
    notes = [] if passes else ["no times: onnxruntime_perf_test wrote no passes"]
    return Measured(latency_ms=summary(passes) if passes else {}, notes=notes)
