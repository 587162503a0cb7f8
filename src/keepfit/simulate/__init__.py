"""Worlds to practise on: raw files with known truth, drift and faults, made from a seed and no clock."""

from keepfit.simulate.shop import Shop, write

__all__ = ["Shop", "write"]
