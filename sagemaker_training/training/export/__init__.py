"""A trained network as ONNX graphs, in several precisions."""
