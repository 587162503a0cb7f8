"""Redis is a service beside the others where the settings mean one on the same machine, and else it is left alone."""

from __future__ import annotations

import pytest

from keepfit.stages.deploy.compose import online

from . import test_compose as promised
from .world import deployed, read, secrets, shop

ELSEWHERE = [None, "redis://cache.example.org:6379/0", "rediss://localhost:6379/0", "unix:///run/redis.sock"]


def test_a_redis_of_the_same_machine_comes_along(tmp_path) -> None:
    place = tmp_path / "out"
    deployed(shop(tmp_path, store="redis://:hush-hush@localhost:6380/3"), place)
    secrets(place)
    promised.test_compose_reads_the_file(place)
    promised.test_every_container_is_bound_and_none_listens_to_others(place)
    promised.test_what_is_mounted_is_there_and_every_secret_is_a_file_that_the_readme_makes(place)
    told = read(place / "compose.yaml")["services"]
    assert "ports" not in told["redis"]
    for name in ("service", "loop"):
        assert told[name]["environment"]["KEEPFIT__SERVING__STORE"] == "redis://redis:6379/3"
        assert told[name]["depends_on"] == {"redis": {"condition": "service_healthy"}}
        held = (place / f"requirements/{name}.txt").read_text()
        assert "\nredis==" in held and "\nhiredis==" in held
    assert told["service"]["environment"]["KEEPFIT__SERVING__LOG"] == "json"
    assert "| `redis` |" in (place / "README.md").read_text()
    assert [path for path in place.glob("*.*") if "hush" in path.read_text()] == []


@pytest.mark.parametrize("store", ELSEWHERE)
def test_any_other_store_is_left_alone(store) -> None:
    assert set(online.names(store).values()) == {""}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:6379", "[::1]:6379", "redis"])
def test_the_host_says_whether_it_is_the_same_machine(host) -> None:
    assert "redis://redis:6379/0" in online.names(f"redis://{host}")["STORE"]
