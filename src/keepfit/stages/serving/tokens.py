"""Who may ask what: bearer tokens of 256 random bits, of which only the SHA-256 is kept.

A line a token: `shopfront predict sha256:<64 hex digits>`, roles separated by commas. A plain hash is enough, since
nobody can try 2^256 tokens; a slow one, as of passwords, would be paid by every request.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path

from keepfit.errors import SettingsError

log = logging.getLogger("keepfit.serving")

VARIABLE = "KEEPFIT_TOKENS"
PREFIX = "keepfit_"
ROLES = ("predict", "events", "admin")
OPEN = frozenset({"/livez", "/readyz"})
NEEDS = {
    "/predict": ("predict",),
    "/predict/rows": ("predict",),
    "/model": ("predict",),
    "/events": ("events",),
    **dict.fromkeys(("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"), ROLES),
}
"""Route -> roles of which one is needed; `admin` may ask all, and alone what is not named here."""
LINE = re.compile(r"(?P<name>[\w.-]{1,64})\s+(?P<roles>[a-z,]+)\s+sha256:(?P<digest>[0-9a-f]{64})")
FIX = "make one with `keepfit token new --role predict --name shopfront`"


@dataclass(frozen=True)
class Token:
    """What is kept of a token.

    Attributes
    ----------
    name : str
        Who has it.
    roles : frozenset of str
        Of `ROLES`.
    digest : bytes
        SHA-256 of the token.
    """

    name: str
    roles: frozenset[str]
    digest: bytes

    def may(self, route: str) -> bool:
        """Whether one of the roles is enough for a route."""
        return "admin" in self.roles or not self.roles.isdisjoint(NEEDS.get(route, ()))

    def line(self) -> str:
        """Return the line that a file of tokens holds."""
        return f"{self.name} {','.join(sorted(self.roles))} sha256:{self.digest.hex()}"


def new_token(name: str, roles: Collection[str]) -> tuple[str, Token]:
    """Return a token, which is kept nowhere, and what is kept of it."""
    secret = PREFIX + secrets.token_urlsafe(32)
    line = Token(name, frozenset(roles), hashlib.sha256(secret.encode()).digest()).line()
    return secret, parse_tokens(line, "--name")[0]


def parse_tokens(text: str, where: str) -> list[Token]:
    """Return the tokens of a file's or a variable's text; empty lines and what follows a # are left out.

    Raises
    ------
    SettingsError
        If a line is none, a role is unknown or a name stands twice.
    """
    found: dict[str, Token] = {}
    for number, raw in enumerate(text.replace(";", "\n").splitlines(), start=1):
        line = raw.partition("#")[0].strip()
        if line:
            token = _parsed(line, f"{where}, line {number}")
            if token.name in found:
                raise SettingsError(f"token {token.name!r} stands twice", where=where, fix="remove one of the lines")
            found[token.name] = token
    return list(found.values())


def _parsed(line: str, where: str) -> Token:
    # the line itself is not shown: somebody may have put the token where its hash belongs
    match = LINE.fullmatch(line)
    if match is None:
        raise SettingsError("this is no token's line: <name> <roles> sha256:<64 hex digits>", where=where, fix=FIX)
    roles = frozenset(match["roles"].split(","))
    if roles - set(ROLES):
        unknown = ", ".join(sorted(roles - set(ROLES)))
        raise SettingsError(f"unknown role {unknown}", where=where, fix=f"roles are {', '.join(ROLES)}")
    return Token(match["name"], roles, bytes.fromhex(match["digest"]))


class Tokens:
    """The tokens of a server; without any, everybody may ask everything.

    Parameters
    ----------
    environment : str
        What KEEPFIT_TOKENS holds.
    path : Path, optional
        A file of more; `refresh` sees its changes.
    """

    def __init__(self, environment: str = "", path: Path | None = None) -> None:
        self._given = parse_tokens(environment, VARIABLE)
        self._path, self._seen, self._told = path, (0, 0), ""
        self.held = self._given
        if path is not None:
            if not path.is_file():
                raise SettingsError("there is no such file of tokens", where=f"serving.tokens: {path}", fix=FIX)
            self._seen = _state(path)
            self.held = self._read(path)
        # once tokens were asked for, a file that was emptied opens nothing
        self.asked = path is not None or bool(self.held)

    def holder(self, authorization: bytes) -> Token | None:
        """Return the token that an `Authorization` header shows, None if it is none of these.

        Every token is compared, in constant time each, so that the time taken does not tell which was near.
        """
        if authorization[:7].lower() != b"bearer ":
            return None
        digest, found = hashlib.sha256(authorization[7:].strip()).digest(), None
        for token in self.held:
            if compare_digest(token.digest, digest):
                found = token
        return found

    def refresh(self) -> None:
        """Read the file again if it has changed; one that cannot be read changes nothing."""
        if self._path is None:
            return
        state: tuple[int, int] | None = None
        try:
            state = _state(self._path)
            if state != self._seen:
                self._seen, self.held = state, self._read(self._path)
                log.info("tokens were read again: %d", len(self.held))
            self._told = ""
        except (SettingsError, OSError, UnicodeDecodeError) as error:
            # it is looked at each second: what stays as it is, is told once
            told = f"{state} {error}"
            if told != self._told:
                log.error("the tokens stay as they were: %s", str(error).replace("\n", " "))
            self._told = told

    def _read(self, path: Path) -> list[Token]:
        taken = {token.name for token in self._given}
        more = parse_tokens(path.read_text(encoding="utf-8"), str(path))
        return [*self._given, *(token for token in more if token.name not in taken)]


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size
