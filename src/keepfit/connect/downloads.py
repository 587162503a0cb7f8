"""One file over HTTP: what the server tells about it, and its bytes, taken up again where a broken connection left them.

What has come lies beside the target until it is whole, with the validator (ETag or Last-Modified) it came under; the rest is asked
for with `Range` and `If-Range`, so that halves of two versions are never joined.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import ssl
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import httpx

from keepfit.connect.copies import whole
from keepfit.errors import SourceError

Answer = TypeVar("Answer")

TIMEOUT = httpx.Timeout(60.0, connect=15.0)
# tries in a row that bring nothing; one that brings bytes starts the count again
TRIES, PAUSE_SECONDS = 5, 0.2
BUSY = (408, 429, 500, 502, 503, 504)
BLOCK = 1 << 20
# bytes as they are stored, so that a part can be continued
PLAIN = {"Accept-Encoding": "identity"}
UNKNOWN_HOST = re.compile(
    r"name or service not known|name resolution|getaddrinfo|nodename nor servname|no address assoc", re.I
)


@dataclass(frozen=True)
class Told:
    """What a server tells about a file.

    Attributes
    ----------
    tag, modified : str
        ETag and Last-Modified; empty if it does not say.
    size : int
        Bytes as sent; -1 if it does not say.
    packed : bool
        Whether they are sent gzipped although that was not asked for.
    """

    tag: str
    modified: str
    size: int
    packed: bool

    @property
    def identity(self) -> str:
        """Another one whenever the file changed; empty if the server gives nothing to tell by."""
        said = self.tag or self.modified
        return f"{said} {self.size}" if said else ""

    @property
    def validator(self) -> str:
        """What the rest of a part may be asked for under; a weak ETag does not promise equal bytes."""
        return self.tag if self.tag and not self.tag.startswith("W/") else self.modified


class _Busy(Exception):
    """The server asks to come again later."""


def look(address: str) -> Told:
    """Return what the server tells about a file, without fetching it.

    Raises
    ------
    SourceError
        If it cannot be reached, or has no such file.
    """
    with _client() as client:
        return _patiently(address, lambda: _head(client, address) or _first_byte(client, address))


def download(address: str, target: Path) -> None:
    """Fetch a file to `target`, continuing what a broken download left beside it.

    Raises
    ------
    SourceError
        If the server cannot be reached, has no such file, or breaks off again and again.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.download")
    with _client() as client:
        told = _patiently(address, lambda: _continue(client, address, part), part)
    if told.packed and target.suffix.lower() != ".gz":
        _unpack(part, target, address)
    else:
        with part.open("rb") as content:
            os.fsync(content.fileno())
        part.replace(target)
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def shown(address: str) -> str:
    """Return an address without what may hold a key: its query, and a name and password."""
    return re.sub(r"//[^/@]*@", "//", address.partition("?")[0])


def _client() -> httpx.Client:
    return httpx.Client(follow_redirects=True, timeout=TIMEOUT, headers=PLAIN, verify=_authorities())


@cache
def _authorities() -> ssl.SSLContext:
    # the list of certificates takes longer to read than a small file to fetch
    return httpx.create_ssl_context()


def _patiently(address: str, ask: Callable[[], Answer], part: Path | None = None) -> Answer:
    """Return what `ask` returns, tried again while the connection breaks or the server is busy."""
    tries, had = 0, _size(part)
    while True:
        try:
            return ask()
        except (httpx.TransportError, _Busy) as error:
            tries = 1 if _size(part) > had else tries + 1
            had = _size(part)
            if tries == TRIES or UNKNOWN_HOST.search(str(error)) or "CERTIFICATE" in str(error):
                raise _unreached(address, error, had) from None
            time.sleep(PAUSE_SECONDS * 2**tries)
        except (httpx.TooManyRedirects, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise SourceError(f"the address leads nowhere: {error}", where=shown(address), fix="mend it") from None


def _head(client: httpx.Client, address: str) -> Told | None:
    answer = client.head(address)
    # some servers answer a GET only, and an address that is signed for one is not for the other
    return _told(answer) if answer.is_success else None


def _first_byte(client: httpx.Client, address: str) -> Told:
    with client.stream("GET", address, headers={"Range": "bytes=0-0"}) as answer:
        if answer.status_code != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            _accept(answer, address)
        return _told(answer)


def _continue(client: httpx.Client, address: str, part: Path) -> Told:
    """Ask for what is missing of a part and add it; the part is whole when this returns."""
    had, validator = _kept(part, address)
    headers = {"Range": f"bytes={had}-", "If-Range": validator} if had else {}
    with client.stream("GET", address, headers=headers) as answer:
        told = _told(answer)
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            if told.size == had and told.validator in ("", validator):
                return told
            part.unlink(missing_ok=True)
            raise _Busy("it has no such range")
        _accept(answer, address)
        goes_on = answer.status_code == httpx.codes.PARTIAL_CONTENT
        if goes_on and not answer.headers.get("content-range", "").startswith(f"bytes {had}-"):
            part.unlink(missing_ok=True)
            raise _Busy("it sends another range than asked for")
        if not goes_on:
            part.unlink(missing_ok=True)
            with whole(_note(part)) as note:
                note.write(json.dumps({"address": address, "validator": told.validator}).encode())
        with part.open("ab") as content:
            for block in answer.iter_raw():
                content.write(block)
    if told.size not in (-1, _size(part)):
        raise httpx.RemoteProtocolError(f"{_size(part):,} of {told.size:,} bytes came")
    return told


def _kept(part: Path, address: str) -> tuple[int, str]:
    """Return the bytes of a part that can be continued, and the validator they came under."""
    try:
        note = json.loads(_note(part).read_bytes())
    except (OSError, ValueError):
        return 0, ""
    known = note.get("address") == address and note.get("validator")
    return (_size(part), note["validator"]) if known and _size(part) > 0 else (0, "")


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _size(part: Path | None) -> int:
    return part.stat().st_size if part is not None and part.exists() else -1


def _told(answer: httpx.Response) -> Told:
    total = re.search(r"/(\d+)$", answer.headers.get("content-range", ""))
    size = total[1] if total else answer.headers.get("content-length", "-1")
    packed = answer.headers.get("content-encoding", "").lower() in ("gzip", "x-gzip")
    tag, modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
    return Told(tag, modified, int(size) if size.isdigit() else -1, packed)


def _accept(answer: httpx.Response, address: str) -> None:
    """Refuse an answer that is not the file."""
    status, where = answer.status_code, shown(str(answer.url))
    if status in BUSY:
        raise _Busy(f"it answers {status} {answer.reason_phrase}")
    if address.startswith("https:") and answer.url.scheme != "https":
        raise SourceError("the server sends on to an address without TLS", where=where, fix="declare an https address")
    if not answer.is_success:
        fixes = {
            401: "it asks for a login; fetch the file yourself and put it into the data folder",
            404: "mend the address",
        }
        fixes[403], fixes[410] = fixes[401], fixes[404]
        fix = fixes.get(status, "ask whoever runs the server")
        raise SourceError(f"the server answers {status} {answer.reason_phrase}", where=where, fix=fix)
    page = answer.headers.get("content-type", "").startswith("text/html")
    if page and not address.partition("?")[0].endswith((".html", ".htm")):
        raise SourceError(
            "the server answers with a page, not with the file",
            where=where,
            fix="open the address in a browser: what does it ask for?",
        )


def _unpack(part: Path, target: Path, address: str) -> None:
    try:
        with gzip.open(part) as packed, whole(target, durable=True) as content:
            shutil.copyfileobj(packed, content, BLOCK)
    except (OSError, EOFError, zlib.error) as error:
        part.unlink(missing_ok=True)
        raise SourceError(f"what the server sends is no gzip: {error}", where=shown(address), fix="try again") from None


def _unreached(address: str, error: Exception, had: int) -> SourceError:
    host = httpx.URL(address).host
    if UNKNOWN_HOST.search(str(error)):
        return SourceError(
            f"the host {host} is unknown", where=shown(address), fix="mend the address, or check the network"
        )
    if had > 0:
        return SourceError(
            f"the download breaks off after {had:,} bytes: {error}",
            where=shown(address),
            fix="try again; it goes on from there",
        )
    return SourceError(
        f"{host} cannot be reached: {error or type(error).__name__}",
        where=shown(address),
        fix="try again later",
    )
