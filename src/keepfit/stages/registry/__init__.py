"""Versions of a model, in MLflow: record, gate, promote, roll back. Promotion moves an alias, and a pointer for the server."""
