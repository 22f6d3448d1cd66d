"""Real-time single-image super-resolution on mobile NPUs: train, quantize, export, prove, compare.

Legend, valid in the whole package unless a docstring says otherwise:

- ``lr`` (N, C, h, w), ``hr`` and ``sr`` (N, C, s*h, s*w) with ``s`` the scale (1.5, 2, 3 or 4);
  float RGB in [0, 1]. On the host an image is a uint8 array (H, W, 3).
- ``lr_patch``: LR pixels per side of a training crop. ``border``: HR pixels cut off each side before scoring.
- ``y``: luma, BT.601 in limited range (16..235), as MATLAB's ``rgb2ycbcr`` gives it.
- The PSNR or SSIM of a set is the mean over its images of the image's own value.
"""

from importlib import import_module
from types import ModuleType
from typing import Any

__version__ = "0.2.0"
API = ("LoadedNet", "Quantized", "evaluate", "export", "load", "quantize")
"""Names of `sr.api` that are names of this package, too; their modules are imported at the first use."""


class CallablePackage(ModuleType):
    """A package that is a function of the API, too: `sr.export(net, folder)` beside `sr.export.target`."""

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        """Call the function of the package's name in `sr.api`."""
        return _api(self.__name__.rpartition(".")[2])(*arguments, **settings)


def __getattr__(name: str) -> Any:
    """Import a name of the API when it is used first, so that `import sr` costs nothing."""
    if name == "export":
        return import_module("sr.export")
    if name in API:
        return _api(name)
    raise AttributeError(f"module 'sr' has no attribute {name!r}; its functions are {', '.join(API)}")


def _api(name: str) -> Any:
    loads = name in ("LoadedNet", "load")  # which need none of what quantization imports
    return getattr(import_module("sr.api.loaded") if loads else import_module("sr.api.functions"), name)


def __dir__() -> list[str]:
    """List the API, for completion in a shell."""
    return sorted({*globals(), *API})
