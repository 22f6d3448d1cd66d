"""Export a simulated net to files that a phone runs, and prove that they compute the same.

Rooms: `graph` (ONNX surgery), `certificate` (the proof), `hexagon` (compiler and emulator), `litert`. Modules: `target`
(the classes that YAML names), `release` (all files of a release), `runtime` (exported files as upscalers), `engine`
(what a further engine adds), `openvino`, `ai_hub`, `publish` (a folder that appears whole).
"""
