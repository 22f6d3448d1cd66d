"""A program with the arguments of ncnn_runner that runs ncnn's files with ncnn's wheel.

Environment: STANDIN_FAULT, what goes wrong.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np

from sr.export.ncnn import NcnnNet


def main() -> int:
    """Run a net on a frame and print what ncnn_runner prints; returns the exit status."""
    param, weights, device, passes, height, width, channels, source, target = sys.argv[1:]
    fault = os.environ.get("STANDIN_FAULT")
    if device == "gpu":
        print(f"ncnn_runner: there is no Vulkan device for {param}", file=sys.stderr)
        return 1
    assert Path(weights) == Path(param).with_suffix(".bin") and os.access("ncnn_runner", os.X_OK)
    net = NcnnNet(Path(param), 1, Path("ncnn.log"))
    image = np.fromfile(source, np.uint8).reshape(1, int(height), int(width), int(channels))
    for number in range(10 + int(passes) if int(passes) else 1):
        started = time.perf_counter()
        made = net.pixels(image)
        if int(passes) and number >= 10 and fault != "no times":
            print(f"pass_us {(time.perf_counter() - started) * 1e6:.1f}")
    Path(target).write_bytes(made.tobytes())
    print("version ncnn 1.0.20261020, 1 threads, CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
