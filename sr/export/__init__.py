"""Export: write a simulated net to files that a phone runs, and compare their outputs with the net's.

Packages: `graph` (ONNX rewrites), `certificate` (the comparison), `hexagon` (compiler and emulator), `litert`. Modules:
`target` (the classes that the YAML names), `release` (all files of a release), `runtime` (exported files as upscalers),
`engine` (further runtimes), `openvino`, `ai_hub`, `publish` (a folder that is replaced as a whole).

The package is callable: `sr.export(net, folder)` is `sr.api.functions.export`.
"""

import sys

from sr import CallablePackage

sys.modules[__name__].__class__ = CallablePackage  # supported by Python: "Customizing module attribute access"
