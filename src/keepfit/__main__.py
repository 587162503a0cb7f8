"""`python -m keepfit` is the `keepfit` command."""

from keepfit.cli import main

main()
