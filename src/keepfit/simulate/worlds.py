"""The worlds by name. To add one, see `world.py`."""

from __future__ import annotations

from keepfit.simulate import air, bridges, shop_world
from keepfit.simulate.world import World

WORLDS: dict[str, World] = {world.name: world for world in (shop_world.WORLD, air.WORLD, bridges.WORLD)}
