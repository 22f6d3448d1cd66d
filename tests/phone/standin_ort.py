"""onnxruntime_perf_test and onnx_test_runner, by the name of the program, on the HTP's emulator.

Environment: STANDIN_FAULT, what goes wrong.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx

PROVIDER = "QNNExecutionProvider"


def session(model: Path, *, fallback: bool) -> Any:
    """Open a model that names a compiled file."""
    import onnxruntime
    import onnxruntime_qnn

    onnxruntime.register_execution_provider_library(PROVIDER, onnxruntime_qnn.get_library_path())
    devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == PROVIDER]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not fallback:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    options.add_provider_for_devices(devices[:1], {"backend_type": "htp"})
    return onnxruntime.InferenceSession(str(model), options)


def tensor(path: Path) -> np.ndarray:
    """Read a tensor of test data."""
    return onnx.numpy_helper.to_array(onnx.load_tensor(str(path)))


def perf_test(options: argparse.Namespace, fault: str | None) -> int:
    """Time the passes on the test data."""
    assert options.m == "times" and options.C == "session.disable_cpu_ep_fallback|1"
    if fault == "on the CPU":
        text = (
            "nodes that are assigned to the default CPU EP, but fallback to CPU EP has been explicitly disabled by the"
        )
        print(f"This session contains graph {text} user.", file=sys.stderr)
        return 1
    model, result = map(Path, options.paths)
    run, given = session(model, fallback=False), tensor(model.parent / "test_data_set_0/input_0.pb")
    with open(result, "a") as file:
        for number in range(options.r):
            started = time.perf_counter()
            run.run(None, {run.get_inputs()[0].name: given})
            if fault != "no times":
                file.write(f"net,{time.perf_counter() - started},100000,50,{number}\n")
    return 0


def test_runner(options: argparse.Namespace, fault: str | None) -> int:
    """Compare the output with that of the test data, as onnxruntime's comparison of floats does."""
    assert options.a == options.t == "0"
    if fault == "other chip":
        print("[E:onnxruntime:Default] Failed to create context from binary, err 5000")
        return 1
    (folder,) = map(Path, options.paths)
    run = session(folder / "model.onnx", fallback=True)
    given, wanted = (tensor(folder / f"test_data_set_0/{name}_0.pb") for name in ("input", "output"))
    made = run.run(None, {run.get_inputs()[0].name: given})[0]
    assert made.dtype == wanted.dtype == np.float32 and made.shape == wanted.shape
    if fault == "other pixels":
        made = np.minimum(made, 254) + 1
    differences = np.abs(made - wanted)
    if not differences.any():
        print("result: \n\tModels: 1\n\tTotal test cases: 1\n\t\tSucceeded: 1\n\t\tNot implemented: 0")
        return 0
    index = int(differences.argmax())
    pair = f"expected {wanted.flat[index]:g} (41880000), got {made.flat[index]:g} (4031000000000000)"
    found = f"diff: {differences.max():g}, tol=0 idx={index}. {(differences > 0).sum()} of {differences.size} differ"
    print(f"[E:onnxruntime:Default, dataitem_request.cc:203] {folder.name}:output=output_float:{pair}, {found}")
    print("result: \n\tModels: 1\n\tTotal test cases: 1\n\t\tSucceeded: 0")
    return 1


def main(program: str) -> int:
    """Run a program; returns the exit status."""
    parser = argparse.ArgumentParser(prefix_chars="-")
    for name in ("m", "C", "a", "t", "e", "i"):
        parser.add_argument(f"-{name}")
    for name in ("plugin_ep_libs", "plugin_eps", "plugin_ep_options"):
        parser.add_argument(f"--{name}")
    parser.add_argument("-r", type=int)
    parser.add_argument("paths", nargs="+")
    options = parser.parse_args()
    settings = options.i if options.e else options.plugin_ep_options
    assert settings == "backend_path|libQnnHtp.so htp_performance_mode|burst" and Path("libQnnHtp.so").is_file()
    assert options.e == "qnn" or Path(options.plugin_ep_libs.split("|")[1]).is_file()
    return {"perf": perf_test, "test": test_runner}[program](options, os.environ.get("STANDIN_FAULT"))


if __name__ == "__main__":
    sys.exit(main(sys.argv.pop(1)))
