"""A project as files that something else runs: one room for each target, and nothing here starts anything.

    target.py    what a target is told, and how it is found
    compose/     Docker Compose: the service, the loop, Prometheus with rules, Alertmanager, Grafana with a dashboard

A target is a function from a `Deployment` to files, path -> content, named in the entry point group `keepfit.deployers`.
The same project makes the same bytes.
"""
