"""Pretrained nets of the package: `init=pretrained/quicksrnet_small`, or `load("quicksrnet_small", scale=2)`.

`python -m sr.pretrained add` copies the result of a finished run to a folder of `nets/`: float weights (safetensors),
the quantized net as AIMET exports it (ONNX and encodings), its QDQ ONNX in DCR order, and a card. Modules: `card`
(facts of a net), `catalogue` (find and load), `add` (from a run folder), `trained` (also from a run folder).
"""

from sr.pretrained.catalogue import cards, find, load, weights_path

__all__ = ["cards", "find", "load", "weights_path"]
"""Public functions."""
