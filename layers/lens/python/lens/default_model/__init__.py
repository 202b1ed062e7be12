"""The default model: chosen, projected and built into an ONNX graph; never on Lambda."""
