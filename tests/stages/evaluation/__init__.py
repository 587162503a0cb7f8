"""Evaluation, tested."""
