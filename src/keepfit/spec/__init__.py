"""What is declared: frozen data, no I/O, no engine.

A spec can be checked, hashed, compared and printed on a machine with nothing but the standard library.
Wrong names and wrong texts are kept as written, so that `check` can report every one of them in one pass.
"""
