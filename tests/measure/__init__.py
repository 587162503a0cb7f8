"""How good predictions are, tested."""
