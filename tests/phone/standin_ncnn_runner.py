"""A program with the arguments of ncnn_runner that runs ncnn's files with ncnn's wheel.

Environment: STANDIN_FAULT, what goes wrong.
"""

import os
import sys
import time
from pathlib import Path

import ncnn
import numpy as np


def main() -> int:
    """Run a net on a frame and print what ncnn_runner prints; returns the exit status."""
    param, weights, device, passes, height, width, channels, source, target = sys.argv[1:]
    fault = os.environ.get("STANDIN_FAULT")
    if device == "gpu":
        print(f"ncnn_runner: there is no Vulkan device for {param}", file=sys.stderr)
        return 1
    assert Path(weights) == Path(param).with_suffix(".bin") and os.access("ncnn_runner", os.X_OK)
    net = ncnn.Net()
    net.opt.num_threads = 1
    assert net.load_param(param) == 0 and net.load_model(weights) == 0
    image = np.fromfile(source, np.uint8).reshape(int(height), int(width), int(channels))
    planes = np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) / 255
    for number in range(10 + int(passes) if int(passes) else 1):
        started = time.perf_counter()
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(planes).clone())
        made = np.array(extractor.extract("out0")[1])
        if int(passes) and number >= 10 and fault != "no times":
            print(f"pass_us {(time.perf_counter() - started) * 1e6:.1f}")
    pixels = np.rint(made * 255).clip(0, 255).astype(np.uint8)
    Path(target).write_bytes(np.ascontiguousarray(pixels.transpose(1, 2, 0)).tobytes())
    print("version ncnn 1.0.20261020, 1 threads, CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
