"""From a simulated net to files that a phone runs, and the proof that they are the same net.

target.py         what YAML names: Nothing, Onnx, Hexagon
release.py        the files of a release, one rewrite after the other
onnx.py           the float net as an ONNX file
graph.py          an ONNX model with an index, for the rewrites:
biases.py           biases on the grid of the accumulator
clips.py            clips that a quantizer does already
permutation.py      channels permuted in the constants that make them
depth_to_space.py   depth-to-space in DCR order
space_to_depth.py   space-to-depth as one operator, or as one convolution
pixels.py           uint8 NHWC input and output
shape.py            free and fixed sizes, targets
encodings.py        quantizers as a file beside a float net
runtime.py        exported files as upscalers, on ONNX Runtime
chips.py          Qualcomm's chips
qnn.py            sessions on the HTP: loaded, quiet, nothing left to the CPU
hexagon.py        emulator, compiled files, DLC, estimates of the time
crops.py          the images of the proof
chain.py          the forms of the net and what is compared
certificate.py    the comparison, its bounds and its table
publish.py        a folder that appears whole
"""
