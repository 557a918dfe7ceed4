"""Policies as portable files: export needs torch, playing needs onnxruntime only."""
