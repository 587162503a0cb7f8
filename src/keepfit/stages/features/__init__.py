"""Observations, features and targets from lake tables: the same plan and the same kernel for training and for scoring."""
