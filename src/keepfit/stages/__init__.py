"""How the loop is done, stage by stage. Stages do not import each other: they meet in tables and in `keepfit.evidence`."""
