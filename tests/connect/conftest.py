"""Outside systems to connect to: real servers on loopback, one for all tests of a process."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

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
