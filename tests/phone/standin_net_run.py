"""A program with the options of qnn-net-run that runs a compiled file on the HTP's emulator through onnxruntime-qnn.

Environment: STANDIN_MODELS, the folder of the ONNX files that name compiled files; STANDIN_FAULT, what goes wrong.
"""

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

PROVIDER = "QNNExecutionProvider"


def session(binary: Path) -> Any:
    """Open the compiled file that was pushed, through the ONNX file that names it."""
    import onnxruntime
    import onnxruntime_qnn

    wrapper = Path(os.environ["STANDIN_MODELS"]) / f"{binary.stem.removesuffix('_qnn')}.onnx"
    shutil.copy(wrapper, binary.parent)
    onnxruntime.register_execution_provider_library(PROVIDER, onnxruntime_qnn.get_library_path())
    devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == PROVIDER]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    options.add_provider_for_devices(devices[:1], {"backend_type": "htp"})
    return onnxruntime.InferenceSession(str(binary.parent / wrapper.name), options)


def main() -> int:
    """Run the inputs of a list and write outputs and a profile; returns the exit status."""
    parser = argparse.ArgumentParser()
    for name in ("backend", "retrieve_context", "input_list", "output_dir", "perf_profile", "profiling_level"):
        parser.add_argument(f"--{name}")
    for name in ("use_native_input_files", "use_native_output_files"):
        parser.add_argument(f"--{name}", action="store_true", required=True)
    parser.add_argument("--num_inferences", type=int)
    parser.add_argument("--keep_num_outputs", type=int)
    options = parser.parse_args()
    fault = os.environ.get("STANDIN_FAULT")
    if fault == "other chip":
        print("[ERROR] Could not create context from binary for context index = 0 : err 5000")
        return 1
    assert Path(options.backend).is_file() and options.perf_profile == "burst"
    run = session(Path(options.retrieve_context).resolve())
    entry = run.get_inputs()[0]
    inputs = Path(options.input_list).read_text().split()
    times = []
    for number in range(options.num_inferences or len(inputs)):
        pixels = np.fromfile(inputs[number % len(inputs)], np.uint8).reshape(entry.shape)
        started = time.perf_counter()
        output = run.run(None, {entry.name: pixels})[0]
        times.append((time.perf_counter() - started) * 1e6)
        if options.keep_num_outputs is None or number < options.keep_num_outputs:
            file = Path(options.output_dir) / f"Result_{number}" / "output_native.raw"
            file.parent.mkdir(parents=True, exist_ok=True)
            output = output[:, :-1] if fault == "other size" else output
            output = np.minimum(output, 254) + 1 if fault == "other pixels" else output
            output.tofile(file)
    if options.profiling_level:
        accelerator = fault != "on the CPU"
        profile = Path(options.output_dir) / "qnn-profiling-data_0.log"
        profile.write_text(json.dumps({"times": times, "accelerator": accelerator}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
