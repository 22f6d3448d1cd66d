"""Trained nets that come with the package: `init=pretrained/quicksrnet_small`, or `load("quicksrnet_small", scale=2)`.

Each lies in a folder of `nets/`, made from a finished run by `python -m sr.pretrained add`: the float weights as
safetensors, the quantized net as AIMET exports it (ONNX with the weights that QAT left, and encodings), its QDQ ONNX in
DCR order, and a card. Modules: `card` (what is known of a net), `catalogue` (find and load), `add` (from a run folder).
"""

from sr.pretrained.catalogue import cards, find, load, weights_path

__all__ = ["cards", "find", "load", "weights_path"]
"""What other rooms use."""
