"""What stands between a client and the routes: settings, tokens, rate, places, log. One value, made by the command line."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING

from keepfit.errors import RequestError
from keepfit.spec.serving import Serving
from keepfit.stages.serving.admission import Admission
from keepfit.stages.serving.logs import Log
from keepfit.stages.serving.metrics import Metrics
from keepfit.stages.serving.rates import Rates
from keepfit.stages.serving.tokens import OPEN, Token, Tokens

if TYPE_CHECKING:  # an extra
    from keepfit.stages.serving.tracing import Tracer

REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
RETRY_S = 1
QUEUE = "queue"
NOTHING: Mapping[bytes, bytes] = MappingProxyType({})


class Refused(RequestError):
    """A request that is not let in; `reason` is one of `metrics.REFUSALS`."""

    def __init__(
        self,
        reason: str,
        status: int,
        what: str,
        fix: str,
        *,
        where: str = "",
        headers: Mapping[bytes, bytes] = NOTHING,
    ) -> None:
        super().__init__(what, where=where, fix=fix, http_status=status)
        self.reason, self.headers = reason, headers


class Protection:
    """How one server is protected and watched. Nothing but limits, if nothing is given.

    Parameters
    ----------
    serving : Serving
        The settings.
    tokens : Tokens, optional
        Without any, everybody may ask everything.
    log : Log, optional
        Where requests are logged.
    tracer : Tracer, optional
        Where spans go.
    """

    def __init__(
        self,
        serving: Serving | None = None,
        tokens: Tokens | None = None,
        log: Log | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.serving = serving or Serving()
        self.tokens, self.log, self.tracer = tokens or Tokens(), log, tracer
        self.admission = Admission(self.serving.queue)
        self.metrics = Metrics(self.admission)
        self._rates = Rates(self.serving.rate, self.serving.burst) if self.serving.rate is not None else None
        self._begin, self._numbers = secrets.token_hex(8), count(1)

    def request_id(self, sent: bytes | None) -> str:
        """Return the id that a client sent if it is well formed, or else one of this process's own."""
        if sent is not None and REQUEST_ID.fullmatch(sent):
            return sent.decode()
        return f"{self._begin}-{next(self._numbers):x}"

    def admit(self, path: str, headers: Mapping[bytes, bytes], address: str, at: float) -> str:
        """Return who asks, a token's name or else an address, if the request may be read.

        Raises
        ------
        Refused
            401, 403 or 413, 429, 503.
        """
        if path in OPEN:
            return address
        token = self.tokens.holder(headers.get(b"authorization", b"")) if self.tokens.asked else None
        caller = token.name if token else address
        wait = self._rates.take(caller, at) if self._rates else 0
        if wait:
            raise Refused(
                "rate", 429, f"more than {self.serving.rate:g} requests a second", f"ask again in {wait} s",
                headers={b"retry-after": str(wait).encode()},
            )  # fmt: skip
        if self.tokens.asked:
            self._authorize(token, path)
        if int(headers.get(b"content-length", 0)) > self.serving.max_body:
            raise self.too_large()
        return caller

    def _authorize(self, token: Token | None, path: str) -> None:
        if token is None:
            raise Refused(
                "unauthorized", 401, "this needs a token", "send the header 'Authorization: Bearer <token>'",
                where=path, headers={b"www-authenticate": b'Bearer realm="keepfit"'},
            )  # fmt: skip
        if not token.may(path):
            what = f"{token.name!r} has the role {', '.join(sorted(token.roles))}, which is not enough"
            insufficient = {b"www-authenticate": b'Bearer realm="keepfit", error="insufficient_scope"'}
            raise Refused("forbidden", 403, what, "ask for a token with another role", where=path, headers=insufficient)

    def too_large(self) -> Refused:
        """Return the refusal of a body over the limit."""
        what = f"the body is larger than {self.serving.max_body:,} bytes"
        return Refused("body", 413, what, "send less a request", where="body")

    def shed(self, path: str, request_id: str, client: str, seconds: float) -> None:
        """Count and log a request that was refused before anything was made of it."""
        kind, ms = Refused.__name__, int(1e6 * seconds) / 1000
        self.metrics.refused(QUEUE)
        self.metrics.answered(path, "", 503, seconds)
        self.metrics.failed(kind)
        if self.log is not None and self.log.wants(503):
            told = {"method": "POST", "path": path, "status": 503, "ms": ms, "request_id": request_id}
            self.log.request(503, {**told, "client": client, "error": kind})


def no_place(reason: str = QUEUE) -> Refused:
    """Return the refusal of a request for which there is no place."""
    what = "the server has as much to do as it takes on"
    return Refused(reason, 503, what, f"ask again in {RETRY_S} s or later", headers={b"retry-after": b"%d" % RETRY_S})
