"""Rewrites of ONNX graphs: one module per rewrite, all on the indexed graph of `onnx_graph`."""
