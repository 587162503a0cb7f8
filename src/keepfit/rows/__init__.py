"""One row at a time: the contract and the derived columns, as a request needs them.

The same declarations are compiled to SQL where whole files are read (`keepfit.engines`); tests hold the two equal.
"""
