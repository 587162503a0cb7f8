"""Real database servers for tests: found on this machine, started on loopback in a folder of their own, stopped at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

FOLDERS = ("/usr/sbin", "/usr/local/bin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))


class Server:
    """A database to write into; `address` is what a definition or an environment variable names."""

    def __init__(self, address: str, driver: str) -> None:
        self.address = address
        self.engine = sa.create_engine(sa.make_url(address).set(drivername=driver))

    def run(self, *statements: str, **values: Any) -> None:
        """Run statements in one transaction."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), values)


def program(name: str) -> str:
    """Return where a server's program is; without it the test is skipped and says so."""
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *FOLDERS)))
    if found is None:
        pytest.skip(f"{name} is not installed on this machine")
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(name: str, *options: str, user: str | None, ready: Any) -> Iterator[None]:
    """Run a server until `ready` answers without an exception, and end it at last."""
    process = subprocess.Popen([name, *options], user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                ready()
                break
            except sa.exc.OperationalError:
                assert process.poll() is None, f"{name} ended"
                time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGINT if "postgres" in name else signal.SIGTERM)
        process.wait(timeout=30)


@contextmanager
def own_folder(user: str | None) -> Iterator[Path]:
    """Return a folder that a user owns, below one that everybody may enter."""
    folder = Path(tempfile.mkdtemp(prefix="keepfit-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        yield folder
    finally:
        shutil.rmtree(folder)


def other_user(name: str) -> str | None:
    """Return the account to start a server with: these do not run as root."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam(name).pw_name
    except KeyError:
        return "nobody"


@contextmanager
def postgresql() -> Iterator[Server]:
    """Run PostgreSQL."""
    user, initdb, postgres = other_user("postgres"), program("initdb"), program("postgres")
    with own_folder(user) as folder:
        subprocess.run(
            [initdb, "-D", folder / "data", "-U", "team", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8"],
            user=user, check=True, capture_output=True,
        )  # fmt: skip
        server = Server(f"postgresql://team:word@127.0.0.1:{free_port()}/postgres", "postgresql+psycopg")
        port = str(server.engine.url.port)
        options = ("-D", str(folder / "data"), "-k", str(folder), "-h", "127.0.0.1", "-p", port, "-F")
        with running(postgres, *options, user=user, ready=lambda: server.run("SELECT 1")):
            yield server
            server.engine.dispose()


@contextmanager
def mariadb() -> Iterator[Server]:
    """Run MariaDB."""
    user, install, mariadbd = other_user("mysql"), program("mariadb-install-db"), program("mariadbd")
    with own_folder(user) as folder:
        data, port = f"--datadir={folder}/data", free_port()
        subprocess.run(
            [install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"],
            user=user, check=True, capture_output=True,
        )  # fmt: skip
        server = Server(f"mariadb://root@127.0.0.1:{port}/mysql", "mariadb+pymysql")
        options = ("--no-defaults", data, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/s")
        small = ("--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin")
        with running(mariadbd, *options, *small, user=user, ready=lambda: server.run("SELECT 1")):
            server.run("CREATE DATABASE shop")
            server.engine.dispose()
            shop = Server(f"mariadb://root@127.0.0.1:{port}/shop", "mariadb+pymysql")
            yield shop
            shop.engine.dispose()
