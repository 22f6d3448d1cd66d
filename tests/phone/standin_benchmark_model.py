"""A program with the options of LiteRT's benchmark_model that runs a .tflite file with LiteRT's interpreter.

Environment: STANDIN_FAULT, what goes wrong.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np


def main() -> None:
    """Run a model on an input file and print what benchmark_model prints."""
    from ai_edge_litert.interpreter import Interpreter

    parser = argparse.ArgumentParser()
    for name in ("graph", "input_layer", "input_layer_value_files", "output_filepath", "external_delegate_path"):
        parser.add_argument(f"--{name}")
    for name in ("warmup_min_secs", "min_secs", "max_secs", "use_gpu", "use_xnnpack", "external_delegate_options"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--input_layer_shape", required=True)
    parser.add_argument("--num_runs", type=int, required=True)
    parser.add_argument("--warmup_runs", type=int, required=True)
    options = parser.parse_args()
    fault = os.environ.get("STANDIN_FAULT")
    interpreter = Interpreter(model_path=options.graph, num_threads=1)
    interpreter.allocate_tensors()
    entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    shape = [int(side) for side in options.input_layer_shape.split(",")]
    assert shape == entry["shape"].tolist(), (shape, entry["shape"])
    name, file = options.input_layer_value_files.split(":")
    assert name == options.input_layer
    interpreter.set_tensor(entry["index"], np.fromfile(file, np.uint8).reshape(shape))
    kind = "EXTERNAL" if options.external_delegate_path else "XNNPACK"
    if fault == "partly":
        text = f"Explicitly applied {kind} delegate, and the model graph will be partially executed by the delegate"
        print(f"INFO: {text} w/ 3 delegate kernels.")
    elif fault != "no delegate":
        text = f"Explicitly applied {kind} delegate, and the model graph will be completely executed by the delegate."
        print(f"INFO: {text}")
    for count in (options.warmup_runs, options.num_runs):
        times = []
        for _ in range(count):
            started = time.perf_counter()
            interpreter.invoke()
            times.append((time.perf_counter() - started) * 1e6)
        p5, median, p95 = np.percentile(times, (5, 50, 95))
        text = f"count={count} first={times[0]:.0f} curr={times[-1]:.0f} min={min(times):.0f} max={max(times):.0f}"
        percentiles = "" if fault == "old tool" else f" p5={p5:.0f} median={median:.0f} p95={p95:.0f}"
        print(f"INFO: {text} avg={np.mean(times):.1f} std={np.std(times):.0f}{percentiles}")
    Path(options.output_filepath).write_bytes(interpreter.get_tensor(result["index"]).tobytes())


if __name__ == "__main__":
    main()
