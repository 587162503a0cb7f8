"""Alerting: laws of what is said, a real file, real servers on loopback."""
