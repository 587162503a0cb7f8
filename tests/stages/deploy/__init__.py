"""Deploying: the folder as Docker Compose, Prometheus, Alertmanager and Grafana read it, and the service as it runs from it."""
