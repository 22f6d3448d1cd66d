"""Pretrained nets of the package: `init=pretrained/quicksrnet_small`, or `load("quicksrnet_small", scale=2)`.

`python -m sr.pretrained add` copies the result of a finished run to a folder of `nets/`: float weights (safetensors),
the quantized net as AIMET exports it (ONNX and encodings), its QDQ ONNX in DCR order, and a card. Modules: `card`
(facts of a net), `catalogue` (find and load), `add` (from a run folder), `trained` (also from a run folder).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sr.pretrained.catalogue import cards, find, load, weights_path

__all__ = ["cards", "find", "load", "weights_path"]
"""Public functions."""


def __getattr__(name: str) -> Any:
    """Import the catalogue, and with it torch, when one of its functions is asked for: `--help` needs neither."""
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from sr.pretrained import catalogue

    return getattr(catalogue, name)
