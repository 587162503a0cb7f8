"""The online store in Redis: a service beside the others, where the settings mean one on the same machine.

One on another machine is left alone: the images reach it by the settings that they hold. A container's `localhost` is the
container, so what the settings call by that name is here the service `redis`, without a password: nothing outside the
network of Compose reaches it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

OWN = frozenset({"localhost", "127.0.0.1", "::1", "redis"})
SERVICE = """  redis:
    <<: *bounds
    image: redis:8.2.1
    user: redis
    # what requests post is on the disk within a second; `keepfit publish` brings the rest back from the lake
    command: [redis-server, --save, "", --appendonly, "yes"]
    volumes: ["redis:/data"]
    healthcheck: {test: [CMD, redis-cli, ping], interval: 5s, timeout: 3s, retries: 5, start_period: 10s}
    deploy: {resources: {limits: {cpus: "0.5", memory: 512M}}}

"""
AFTER = "    depends_on: {redis: {condition: service_healthy}}\n"
ROW = "| `redis` | only the service and the loop reach it | holds what the service knows of each entity, and what was posted |\n"


def names(store: str | None) -> dict[str, str]:
    """Return what the files say of Redis; nothing if there is no such service.

    Parameters
    ----------
    store : str or None
        The setting `serving.store`.
    """
    url = _inner(store)
    said = f"KEEPFIT__SERVING__STORE: {url}"
    found = {
        "STORE": f"      {said}\n{AFTER}",
        "LOOP_STORE": f"    environment: {{{said}}}\n{AFTER}",
        "REDIS": SERVICE,
        "REDIS_VOLUME": "  redis: {}\n",
        "REDIS_ROW": ROW,
    }
    return found if url else dict.fromkeys(found, "")


def _inner(store: str | None) -> str | None:
    """Return the URL of the service for what the settings say; None if they mean another machine, a socket, or no Redis."""
    parts = urlsplit(store or "")
    if parts.scheme != "redis" or parts.hostname not in OWN:
        return None
    return f"redis://redis:6379{parts.path if parts.path.strip('/').isdigit() else '/0'}"
