"""Objects of a store, by a pattern of keys: s3://bucket/sales/*.csv, gs://, az://container/ (account named in the environment), abfs://.

Endpoint, region and credentials come from environment variables, none from a definition. Bytes are streamed to a temporary name and
renamed when they are whole; obstore repeats what fails on the way. Of an archive only the members asked for are read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from keepfit.connect import names
from keepfit.connect.archives import INTO_ARCHIVE, archive_of, extract, is_archive, members
from keepfit.connect.copies import copy_of, whole
from keepfit.connect.protocol import Item, Place
from keepfit.errors import LISTED, MissingExtra, SourceError
from keepfit.spec.sources import Files

try:
    import obstore
    from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError
    from obstore.store import from_url
except ImportError:
    raise MissingExtra("objects", "a source in an object store") from None

# what a definition never holds; obstore finds roles of machines and tokens of clusters by itself
VARIABLES = {
    "s3": (
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3", "AWS_SKIP_SIGNATURE", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "AWS_REQUEST_PAYER",
    ),
    "gs": ("GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SKIP_SIGNATURE"),
    "az": (
        "AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_CLIENT_ID",
        "AZURE_STORAGE_CLIENT_SECRET", "AZURE_STORAGE_TENANT_ID", "AZURE_STORAGE_ENDPOINT", "AZURE_SKIP_SIGNATURE",
    ),
}  # fmt: skip
FAMILY = {"s3": "s3", "s3a": "s3", "gs": "gs", "az": "az", "abfs": "az", "abfss": "az"}
ALLOW_HTTP = ("AWS_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP", "AZURE_ALLOW_HTTP", "AZURE_STORAGE_ALLOW_HTTP")
# about ten seconds of waiting, then the store is down
RETRIES: Any = {"max_retries": 6}
AT_ONCE, BLOCK = 1000, 8 << 20


def open_source(source: Files, place: Place) -> ObjectFiles:
    """Return the objects of a bucket that match a pattern.

    Raises
    ------
    SourceError
        If the address or the settings in the environment are refused.
    """
    return ObjectFiles(source, place)


def settings(kind: str, place: Place) -> dict[str, str]:
    """Return what the environment says about a kind of object store, such as 's3'."""
    return {name: place.environment[name] for name in VARIABLES[FAMILY[kind]] if place.environment.get(name)}


class ObjectFiles:
    """The objects whose keys match; a connection.

    Parameters
    ----------
    source : Files
        An address such as 's3://shop/sales/{month:%Y_%m}.csv'.
    """

    def __init__(self, source: Files, place: Place) -> None:
        self.source = source
        kind, _, rest = source.pattern.partition("://")
        bucket, _, pattern = rest.partition("/")
        self.pattern = names.read(pattern)
        inside = INTO_ARCHIVE.search(pattern)
        self.outer = names.read(pattern[: inside.end()]) if inside else self.pattern
        self.where, self.kind = f"{kind}://{bucket}/", kind.lower()
        plain = any(place.environment.get(name, "").lower() in ("1", "true") for name in ALLOW_HTTP)
        try:
            self.store: Any = from_url(
                self.where,
                config=cast(Any, settings(self.kind, place)),
                client_options={"allow_http": plain},
                retry_config=RETRIES,
            )
        except (BaseError, ValueError) as error:
            raise self._refused(error) from None

    def items(self) -> list[Item]:
        """Return the objects that match, by key."""
        found: dict[str, Item] = {}
        missed: list[str] = []
        outer = names.noting(self.outer, missed)
        try:
            for meta in self._listed():
                parts = outer(meta["path"])
                if parts is not None and not _is_folder(meta):
                    found.update((item.name, item) for item in self._read(_item(meta, parts), missed))
            if not found:
                raise self._nothing(missed)
        except (BaseError, OSError) as error:
            raise self._refused(error) from None
        return [found[name] for name in sorted(found)]

    def fetch(self, item: Item, folder: Path) -> Path:
        """Return a copy of an object, or of a member of an archive, below `folder`."""
        if item.error is not None:
            raise item.error
        archive, member = archive_of(item) or (item, "")
        try:
            if member:
                return extract(self._opened(archive.name), item, folder)
            return self._copied(item, folder)
        except PreconditionError:
            raise SourceError(
                f"{item.name} has changed since it was found", where=self.where, fix="ingest again"
            ) from None
        except FileNotFoundError:
            raise SourceError(
                f"{item.name} has gone since it was found", where=self.where, fix="put it back, or ingest again"
            ) from None
        except BaseError as error:
            raise self._refused(error) from None

    def _copied(self, item: Item, folder: Path) -> Path:
        tag = item.identity.rpartition(" ")[0]
        answer = obstore.get(self.store, item.name, options={"if_match": tag} if tag else {})
        path = copy_of(item, folder)
        with whole(path) as target:
            for block in answer.stream(min_chunk_size=BLOCK):
                target.write(block)
        return path

    def _listed(self) -> Iterator[Any]:
        if len(self.outer.steps) == self.outer.prefix.count("/") + 1:  # one folder: what lies deeper need not be listed
            yield from obstore.list_with_delimiter(self.store, self.outer.prefix)["objects"]
            return
        for chunk in obstore.list(self.store, self.outer.prefix, chunk_size=AT_ONCE):
            yield from chunk

    def _read(self, item: Item, missed: list[str]) -> list[Item]:
        if not is_archive(item.name):
            return [item]
        inner = None if self.outer is self.pattern else names.noting(self.pattern, missed)
        return members(item, self._opened(item.name), self.source.format, inner)

    def _opened(self, key: str) -> IO[bytes]:
        return io.BufferedReader(_Ranges(obstore.open_reader(self.store, key, buffer_size=BLOCK)), 1 << 16)

    def _nothing(self, missed: list[str]) -> SourceError:
        listed = obstore.list_with_delimiter(self.store, self.outer.prefix)
        there = sorted(
            [*(f"{folder}/" for folder in listed["common_prefixes"]), *(one["path"] for one in listed["objects"])]
        )
        more = f" and {len(there) - LISTED} more" if len(there) > LISTED else ""
        holds = f"there is: {', '.join(there[:LISTED])}{more}" if there else "there is nothing"
        if missed:
            holds = f"nearly: {'; '.join(sorted(missed)[:LISTED])}"
        return SourceError(
            f"no object matches {self.source.pattern!r}",
            where=self.where + self.outer.prefix,
            fix=f"put the objects there or mend the pattern; {holds}",
        )

    def _refused(self, error: Exception) -> SourceError:
        secrets = ", ".join(VARIABLES[FAMILY[self.kind]][:3])
        fix = "check the address, the endpoint, and that the store can be reached"
        if "builder error" in str(error):
            fix = "for an endpoint without TLS say so in the environment: AWS_ALLOW_HTTP=true"
        if isinstance(error, PermissionDeniedError | UnauthenticatedError) or "Account must be" in str(error):
            fix = f"name credentials in the environment: {secrets}"
        return SourceError(f"the object store refuses: {_worded(error)}", where=self.where, fix=fix)


def _item(meta: Any, parts: dict[str, str]) -> Item:
    # the tag is sent back at the fetch; a store without tags has times
    tag = meta["e_tag"]
    identity = f"{tag} {meta['size']}" if tag else f"{meta['last_modified'].isoformat()}-{meta['size']}"
    return Item(meta["path"], identity, meta["size"], parts)


def _is_folder(meta: Any) -> bool:
    # consoles mark a folder with an empty object
    return meta["size"] == 0 and "." not in meta["path"].rpartition("/")[2]


def _worded(error: Exception) -> str:
    """Return an error's first sentence without its address' query, which may hold a signature."""
    text = str(error).partition("\n\nDebug source")[0]
    said = re.search(r"<Code>(.*?)</Code>.*?<Message>(.*?)</Message>", text, re.S)
    text = f"{said[1]}: {said[2]}" if said else text.partition(": <?xml")[0]
    return re.sub(r"(https?://[^\s?]+)\?\S+", r"\1", text)[:300]


class _Ranges(io.RawIOBase):
    """An object as a file that is read by ranges, for `zipfile`."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return int(self.reader.seek(offset, whence))

    def tell(self) -> int:
        return int(self.reader.tell())

    def readinto(self, buffer: Any, /) -> int:
        block = memoryview(self.reader.read(len(buffer)))
        buffer[: len(block)] = block
        return len(block)
