"""The stages, tested one by one."""
