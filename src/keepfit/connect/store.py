"""An object store, through obstore: what lies below a prefix, and an object's bytes.

Endpoint, region and credentials come from environment variables, none from a definition. Bytes are streamed to a temporary name and
renamed when they are whole; obstore repeats what fails on the way.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from keepfit.connect.copies import whole
from keepfit.connect.protocol import Place
from keepfit.errors import LISTED, MissingExtra, SourceError

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


REFUSED = re.compile(r"Account must be|Authorization|Authentication|AccessDenied|InvalidAccessKey|SignatureDoes")


class Store:
    """A bucket or a container; its keys are as they stand in it.

    Parameters
    ----------
    address : str
        Such as 's3://shop/sales/2025'; what follows the bucket is `path`.

    Raises
    ------
    SourceError
        If the address or what the environment says is refused.
    """

    def __init__(self, address: str, place: Place) -> None:
        kind, _, rest = address.partition("://")
        bucket, _, self.path = rest.partition("/")
        self.where, self.kind = f"{kind}://{bucket}/", kind.lower()
        with self.mended():
            self.store: Any = from_url(
                self.where,
                config=cast(Any, settings(self.kind, place)),
                client_options={"allow_http": allows_http(place)},
                retry_config=RETRIES,
            )

    def listed(self, prefix: str, *, deep: bool) -> Iterator[Any]:
        """Yield what is known of each object below a prefix; not `deep`: in that folder alone."""
        if not deep:
            yield from _files(obstore.list_with_delimiter(self.store, prefix)["objects"])
            return
        for chunk in obstore.list(self.store, prefix, chunk_size=AT_ONCE):
            yield from _files(chunk)

    def holds(self, prefix: str) -> str:
        """Return in words what a prefix holds."""
        listed = obstore.list_with_delimiter(self.store, prefix)
        folders = [f"{folder}/" for folder in listed["common_prefixes"]]
        there = sorted([*folders, *(one["path"] for one in listed["objects"])])
        more = f" and {len(there) - LISTED} more" if len(there) > LISTED else ""
        return f"there is: {', '.join(there[:LISTED])}{more}" if there else "there is nothing"

    def read_if_there(self, key: str) -> bytes | None:
        """Return an object's bytes, of a small one; None if there is none."""
        with self.mended(key), suppress(FileNotFoundError):
            return bytes(obstore.get(self.store, key).bytes())
        return None

    def has(self, key: str) -> bool:
        """Return whether there is an object."""
        with self.mended(key), suppress(FileNotFoundError):
            obstore.head(self.store, key)
            return True
        return False

    def write(self, key: str, content: bytes) -> None:
        """Write an object: whole, or not at all."""
        with self.mended(key):
            obstore.put(self.store, key, content)

    def copy(self, key: str, tag: str, path: Path) -> Path:
        """Write an object's bytes to a path, if it still has that tag, and return the path."""
        # a weak tag matches nothing
        options: Any = {"if_match": tag} if tag and not tag.startswith("W/") else {}
        with self.mended(key):
            answer = obstore.get(self.store, key, options=options)
            with whole(path) as target:
                for block in answer.stream(min_chunk_size=BLOCK):
                    target.write(block)
        return path

    def opened(self, key: str) -> IO[bytes]:
        """Return an object as a file that is read by ranges."""
        return io.BufferedReader(_Ranges(obstore.open_reader(self.store, key, buffer_size=BLOCK)), 1 << 16)

    @contextmanager
    def mended(self, name: str = "") -> Iterator[None]:
        """Raise what the store says as an error of ours."""
        try:
            yield
        except PreconditionError:
            raise SourceError(f"{name} has changed since it was found", where=self.where, fix="ingest again") from None
        except FileNotFoundError as error:
            what = f"{name} has gone since it was found" if name else _worded(error)
            raise SourceError(what, where=self.where, fix="put it back, or ingest again") from None
        except (BaseError, ValueError) as error:
            raise self._refused(error) from None

    def _refused(self, error: Exception) -> SourceError:
        secrets = ", ".join(VARIABLES[FAMILY[self.kind]][:3])
        fix = "check the address, the endpoint, and that the store can be reached"
        if "builder error" in str(error):
            fix = "for an endpoint without TLS say so in the environment: AWS_ALLOW_HTTP=true"
        if isinstance(error, PermissionDeniedError | UnauthenticatedError) or REFUSED.search(str(error)):
            fix = f"name credentials in the environment: {secrets}"
        return SourceError(f"the object store refuses: {_worded(error)}", where=self.where, fix=fix)


def settings(kind: str, place: Place) -> dict[str, str]:
    """Return what the environment says about a kind of object store, such as 's3'."""
    return {name: place.environment[name] for name in VARIABLES[FAMILY[kind]] if place.environment.get(name)}


def allows_http(place: Place) -> bool:
    """Return whether the environment allows an endpoint without TLS."""
    return any(place.environment.get(name, "").lower() in ("1", "true") for name in ALLOW_HTTP)


def _files(metas: Any) -> Iterator[Any]:
    # consoles mark a folder with an empty object
    yield from (meta for meta in metas if meta["size"] > 0 or "." in meta["path"].rpartition("/")[2])


def _worded(error: Exception) -> str:
    """Return an error's first sentence without its address' query, which may hold a signature."""
    text = str(error).partition("\n\nDebug source")[0]
    said = re.search(r"<Code>(.*?)</Code>.*?<Message>(.*?)</Message>", text, re.S)
    text = f"{said[1]}: {said[2]}" if said else text.partition(": <?xml")[0]
    return re.sub(r"(https?://[^\s?]+)\?\S+", r"\1", text).partition("\n")[0][:300]


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
