"""Where rows are computed: an engine reads raw files under a contract and brings events and observations together.

Everything above it speaks in the values of `keepfit.engines.protocol`.
"""
