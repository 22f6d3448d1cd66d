"""LiteRT (TFLite): operators lowered from ONNX, the flatbuffer file, and Google's interpreter."""
