"""Surgery on ONNX graphs: one module a rewrite, all on the indexed graph of `onnx_graph`."""
