"""Export: a trained model as ONNX graphs, in several precisions."""
