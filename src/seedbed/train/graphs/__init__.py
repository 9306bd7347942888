"""Models as graphs of ONNX: each kind of model says its own."""
