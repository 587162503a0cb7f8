"""Channels against real servers on loopback: what they send, and what they say when it is not taken."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import json
import logging
import ssl
import time
from pathlib import Path

import httpx
import pytest
import trustme
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from tests.connect.servers import free_port, program
from tests.stages.deploy.world import running
from tests.stages.serving.world import wait_until

from keepfit.errors import SettingsError
from keepfit.spec.alerts import Alerts
from keepfit.spec.alerts import Channel as Declared
from keepfit.stages.alerting import Held, Outbox, Undelivered, follow, open_channels, send, trial

from .world import DAY, NOW, RULES, message, taking, turn


def channel(environment=None, **said):
    """Return one channel as the settings would."""
    (found,) = open_channels([Declared(**said)], environment or {}).values()
    return found


def test_slack_is_told_in_blocks_once_it_takes_them(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    with taking(500, 429) as taker:
        outbox, said = Outbox(tmp_path / "alerts.db"), message(drifted={"a<b & c": "critical"})
        outbox.commit("churn", 0, Held(), [said], {"slack": "warning"})
        slack = channel({"HOOK": taker.url}, kind="slack", url_from="HOOK")
        problems = [send(outbox, {"slack": slack}, NOW + day * DAY)[0].problem for day in range(3)]
    assert problems == ["it answered 500", "it answered 429", ""]
    told = json.loads(taker.bodies[-1])
    assert told["text"] == "critical: churn: drift of a&lt;b &amp; c (2025-06-01)"
    assert "psi 0.31" in told["blocks"][1]["text"]["text"]
    assert "keepfit watch churn --as-of 2025-06-01" in told["blocks"][2]["elements"][0]["text"]
    assert "SECRET" not in caplog.text


def test_a_message_of_many_alerts_stays_within_what_slack_takes():
    with taking() as taker:
        many = {f"column_{place}_{'x' * 300}": "warning" for place in range(40)}
        channel({"HOOK": taker.url}, kind="slack", url_from="HOOK").send(message(drifted=many), NOW)
    blocks = json.loads(taker.bodies[0])["blocks"]
    assert all(len(block["text"]["text"]) <= 3000 for block in blocks[:2])


def test_a_webhook_can_tell_who_sent_it_and_whether_it_came_before():
    said = message()
    with taking() as taker:
        hook = channel({"KEY": "s3cret"}, kind="webhook", url=taker.url, secret_from="KEY")
        for _ in range(2):
            hook.send(said, NOW)
    sent, headers = json.loads(taker.bodies[0]), taker.headers[0]
    assert (sent["title"], sent["status"], sent["sent_at"]) == (
        "critical: churn: drift of amount (2025-06-01)",
        "firing",
        "2025-06-01T03:00:00Z",
    )
    assert sent["notices"][0]["about"] == "amount"
    signed = headers["X-Keepfit-Timestamp"].encode() + b"." + taker.bodies[0]
    assert headers["X-Keepfit-Signature"] == "sha256=" + hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
    assert headers["Idempotency-Key"] == taker.headers[1]["Idempotency-Key"] == said.id


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/SECRET", "ftp://host/SECRET", "SECRET", "http://[SECRET", "http://a\nSECRET"]
)
def test_an_address_that_is_not_reached_stays_a_secret(address):
    with pytest.raises(Undelivered) as raised:
        channel({"HOOK": address}, kind="slack", url_from="HOOK").send(message(), NOW)
    assert "SECRET" not in str(raised.value)
    assert raised.value.__cause__ is None and raised.value.__suppress_context__


def test_a_secret_that_is_not_set_is_named():
    with pytest.raises(Undelivered, match="the environment has no HOOK"):
        channel(kind="slack", url_from="HOOK").send(message(), NOW)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"kind": "slak"}, "no channel is installed for 'slak'"),
        ({"kind": "slack", "url": "https://SECRET"}, "'url_from' does not fit: Field required"),
        ({"kind": "webhook"}, "give either url or url_from"),
        ({"kind": "email", "host": "h", "to": []}, "'to' does not fit"),
        ({"kind": "email", "host": "h", "to": ["a@b.c"], "user_from": "U"}, "user_from and password_from"),
    ],
)
def test_a_channel_that_is_said_wrongly_is_known_at_once(said, problem):
    with pytest.raises(SettingsError) as raised:
        channel(**said)
    assert problem in raised.value.what
    assert "SECRET" not in str(raised.value)


def test_the_settings_of_the_page_are_understood():
    page = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
    said = Alerts(**yaml.safe_load(page.split("```text\n")[1].partition("```")[0])["alerts"])
    assert list(open_channels(said.channels, {})) == ["slack", "email", "webhook", "alertmanager"]


class Mailbox:
    """Who takes mail, but for nobody@."""

    def __init__(self):
        self.mails = []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append(
            (session.ssl is not None, email.message_from_bytes(envelope.content, policy=email.policy.default))
        )
        return "250 OK"


@pytest.fixture
def mail(monkeypatch, tmp_path):
    """Run a mail server that wants STARTTLS and a password."""
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    found = Mailbox()
    controller = Controller(
        found, "localhost", free_port(), tls_context=context, require_starttls=True, auth_required=True,
        authenticator=lambda *asked: AuthResult(success=asked[-1].password == b"right", handled=False),
    )  # fmt: skip
    controller.start()
    yield (
        found,
        {
            "kind": "email",
            "host": "localhost",
            "port": controller.port,
            "user_from": "USER",
            "password_from": "PASSWORD",
        },
    )
    controller.stop()


def test_mail_is_encrypted_and_says_it_as_text_and_as_html(mail):
    box, said = mail
    right = {"USER": "loop", "PASSWORD": "right"}
    to = {"to": ["ann@example.com", "bob@example.com"], "sender": "Keepfit <loop@example.com>"}
    assert channel(right, **said, **to).send(message(drifted={"a<b": "critical"}), NOW) == ""
    ((encrypted, got),) = box.mails
    assert encrypted
    assert got["Subject"] == "[keepfit] critical: churn: drift of a<b (2025-06-01)"
    assert (got["To"], got["Date"]) == ("ann@example.com, bob@example.com", "Sun, 01 Jun 2025 03:00:00 +0000")
    assert got["Message-ID"].endswith("@example.com>")
    assert "- critical: a<b drifted: psi 0.31" in got.get_body(["plain"]).get_content()
    assert "a&lt;b drifted: psi 0.31" in got.get_body(["html"]).get_content()

    assert channel(right, **said, to=["ann@example.com", "nobody@example.com"]).send(message(), NOW) == (
        "it takes no mail for nobody@example.com"
    )
    with pytest.raises(Undelivered, match="it takes no mail for nobody@"):
        channel(right, **said, to=["nobody@example.com"]).send(message(), NOW)
    with pytest.raises(Undelivered, match="it answered 535") as raised:
        channel({**right, "PASSWORD": "wrong"}, **said, to=["ann@example.com"]).send(message(), NOW)
    assert "wrong" not in str(raised.value)
    with pytest.raises(Undelivered, match="it is not reached"):
        channel(right, **{**said, "port": 1}, to=["ann@example.com"]).send(message(), NOW)


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory):
    """Run an Alertmanager that tells nobody."""
    folder, port = tmp_path_factory.mktemp("alertmanager"), free_port()
    (folder / "alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    command = [
        program("prometheus-alertmanager"), "--config.file=alertmanager.yml", "--storage.path=held",
        "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with running(command, folder):
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _ready(url))
        yield url


def _ready(url):
    try:
        return httpx.get(f"{url}/-/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def held_by(url):
    found = httpx.get(f"{url}/api/v2/alerts", timeout=5).json()
    return {(one["labels"]["about"], one["labels"]["severity"]) for one in found}


def test_alertmanager_holds_what_lasts_and_ends_what_is_over(alertmanager):
    now = time.time_ns() // 1000
    manager = channel(kind="alertmanager", url=alertmanager, labels={"team": "shop"})
    expected = [
        {("amount", "warning"), ("visits", "warning")},
        {("amount", "critical")},  # one got worse, the other has passed
        set(),
    ]
    held = Held()
    for day, drifted in enumerate([{"amount": "warning", "visits": "warning"}, {"amount": "critical"}, {}]):
        said, held = follow(turn(day, drifted), held, RULES)
        for one in said:
            manager.send(one, now)
        wait_until(lambda day=day: held_by(alertmanager) == expected[day])
    manager.send(trial("shop", now), now)
    wait_until(lambda: held_by(alertmanager) == {("test", "info")})
    with pytest.raises(Undelivered, match="it answered 404"):
        channel(kind="alertmanager", url=f"{alertmanager}/nowhere").send(message(), now)
