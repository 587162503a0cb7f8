"""Serving: a real server on loopback, real SQLite files, a real ONNX model of three features."""
