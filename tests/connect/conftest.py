"""Outside systems to connect to: real servers on loopback, one for all tests of a process."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from urllib.parse import unquote

import pytest
from tests.connect import servers
from tests.connect.servers import Server

# objects in one answer of the server, so that every longer listing is paged
PAGE = 4


class ObjectStore(NamedTuple):
    """A running S3 server: a client with a bucket `shop`, and the environment that reaches it."""

    client: Any
    environment: dict[str, str]

    def clear(self) -> None:
        """Empty the bucket."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket="shop"):
            for listed in page.get("Contents", []):
                self.client.delete_object(Bucket="shop", Key=listed["Key"])

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        self.client.put_object(Bucket="shop", Key=key, Body=content)


@dataclass
class Web:
    """A running web server and what it does: its files, what it tells of them, and when it breaks off."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    def put(self, name: str, content: bytes, **headers: str) -> str:
        """Serve a file and return its address; headers in place of its ETag: `Last_Modified="..."`."""
        tag = {"ETag": f'"{hashlib.sha256(content).hexdigest()[:8]}"'}
        self.files[name] = content
        self.headers[name] = {key.replace("_", "-"): value for key, value in headers.items()} if headers else tag
        return f"{self.address}/{name}"


class Handler(BaseHTTPRequestHandler):
    """Serves `Web.files` with ranges as RFC 9110 says."""

    protocol_version = "HTTP/1.1"
    web: ClassVar[Web]

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        web, name = self.web, unquote(self.path.partition("?")[0][1:])
        web.requests.append((self.command, name, self.headers.get("Range", "")))
        if self.command in web.refuses:
            return self.status(405)
        if web.statuses and self.command == "GET":
            return self.status(web.statuses.pop(0))
        if name not in web.files:
            return self.status(404)
        self.file(web.files[name], web.headers[name])

    def status(self, code: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", "0")
        if code in (301, 302):
            self.send_header("Location", self.web.files["moved"].decode())
        self.end_headers()

    def file(self, content: bytes, told: dict[str, str]) -> None:
        begin, validators = 0, {told.get("ETag"), told.get("Last-Modified")}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked and self.headers.get("If-Range", told.get("ETag")) in validators:
            begin, end = int(asked[1]), int(asked[2] or len(content) - 1)
            if begin >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                content = b""
            else:
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {begin}-{end}/{len(content)}")
                content = content[begin : end + 1]
        else:
            self.send_response(200)
        for key, value in told.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            cut = self.web.cuts.pop(0) if self.web.cuts and len(content) > 1 else len(content)
            self.wfile.write(content[:cut])
            self.close_connection = cut < len(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    """Return a real web server on loopback."""
    told = Web()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Serving", (Handler,), {"web": told}))
    told.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def s3() -> Iterator[ObjectStore]:
    """Return a real S3 server on loopback."""
    os.environ["MOTO_S3_DEFAULT_MAX_KEYS"] = str(PAGE)
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    client = boto3.client(
        "s3", endpoint_url=address, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
    )
    client.create_bucket(Bucket="shop")
    yield ObjectStore(client, {**keys, "AWS_ENDPOINT_URL": address, "AWS_ALLOW_HTTP": "true"})
    server.stop()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Return a real PostgreSQL on loopback."""
    with servers.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    """Return a real MariaDB on loopback."""
    with servers.mariadb() as server:
        yield server


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Server]:
    """Return an SQLite file."""
    address = f"sqlite:///{tmp_path / 'shop.db'}"
    server = Server(address, "sqlite")
    yield server
    server.engine.dispose()
