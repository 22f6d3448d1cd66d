"""Hexagon HTP: chips, sessions of onnxruntime-qnn, compilation, emulation, and a width bug of the compiler."""
