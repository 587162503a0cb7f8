"""A prefix of an object store: s3://bucket/models, gs://, az://. Endpoint and secrets come from the environment, as for sources."""

from __future__ import annotations

from keepfit.connect.protocol import Place
from keepfit.connect.store import Store
from keepfit.stages.registry.remotes.blobs import Blobs
from keepfit.stages.registry.remotes.protocol import Site


def open_remote(address: str, site: Site) -> Blobs:
    """Return the versions below a prefix."""
    return Blobs(Objects(Store(address, Place(site.folder, site.folder, site.environment))))


class Objects:
    """Objects below a prefix."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._prefix = f"{store.path.rstrip('/')}/" if store.path.strip("/") else ""
        self.where = f"{store.where}{self._prefix}"

    def names(self, prefix: str) -> list[str]:
        """Return the objects below a prefix."""
        with self._store.mended():
            found = [one["path"] for one in self._store.listed(f"{self._prefix}{prefix}", deep=True)]
        return sorted(name.removeprefix(self._prefix) for name in found)

    def holds(self, name: str) -> bool:
        """Return whether there is an object."""
        return self._store.has(f"{self._prefix}{name}")

    def read(self, name: str) -> bytes | None:
        """Return an object's content; None if there is none."""
        return self._store.read_if_there(f"{self._prefix}{name}")

    def write(self, name: str, content: bytes) -> None:
        """Write an object; a store shows it whole or not at all."""
        self._store.write(f"{self._prefix}{name}", content)
