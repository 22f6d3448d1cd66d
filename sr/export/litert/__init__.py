"""LiteRT: write an exported ONNX graph as a .tflite file, and run it."""
