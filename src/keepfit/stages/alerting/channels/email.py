"""Email by SMTP, as text and as HTML, encrypted unless the settings say otherwise."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import Any, Literal

from pydantic import Field, model_validator

from keepfit import clock
from keepfit.evidence import Message
from keepfit.stages.alerting.channels.protocol import Environment, Options, Undelivered, options_of, secret
from keepfit.stages.alerting.words import lines, see, status_of, title

TIMEOUT_S = 20.0
REFUSED = 500
"""SMTP's replies from here on are for good (RFC 5321, 4.2.1)."""
STYLE = "font-family:sans-serif;font-size:14px;line-height:1.45;color:#1f2430"
COLOURS = {"critical": "#b3261e", "warning": "#a35200", "info": "#24577a", "over": "#2b6a3c"}


class EmailOptions(Options):
    """Where mail is handed in, from whom and to whom.

    `security` is starttls (port 587), tls (port 465) or none. `user_from` and `password_from` name environment variables.
    """

    to: tuple[str, ...] = Field(min_length=1)
    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str | None = None
    user_from: str | None = None
    password_from: str | None = None

    @model_validator(mode="after")
    def _keeps_its_password(self) -> EmailOptions:
        if (self.user_from is None) != (self.password_from is None):
            raise ValueError("give user_from and password_from, or neither")
        if self.password_from and self.security == "none":
            raise ValueError("a password is not sent without encryption; security: starttls or tls")
        return self


class Email:
    """A mail server, and who is written to."""

    def __init__(self, options: EmailOptions, environment: Environment) -> None:
        self._options, self._environment = options, environment

    def send(self, message: Message, now: int) -> str:
        """Hand a mail in; the remark names who was refused while others were not."""
        mail = written(message, now, self._options)
        try:
            with self._connected() as server:
                refused = server.send_message(mail)
        except smtplib.SMTPResponseException as error:
            words = (
                error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
            )
            permanent = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= REFUSED
            raise Undelivered(f"it answered {error.smtp_code}: {words}", of_message=permanent) from None
        except smtplib.SMTPRecipientsRefused as error:
            raise Undelivered(f"it takes no mail for {', '.join(error.recipients)}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise Undelivered(f"it is not reached: {error or type(error).__name__}") from None
        return f"it takes no mail for {', '.join(refused)}" if refused else ""

    def _connected(self) -> smtplib.SMTP:
        said = self._options
        if said.security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(said.host, said.port, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(said.host, said.port, timeout=TIMEOUT_S)
        try:
            if said.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if said.user_from and said.password_from:
                user, password = (secret(self._environment, one) for one in (said.user_from, said.password_from))
                server.login(user, password)
        except BaseException:
            server.close()
            raise
        return server


def written(message: Message, now: int, said: EmailOptions) -> EmailMessage:
    """Return a message as mail; its id follows from the message's, so that one that comes twice shows as such."""
    sender = said.sender or f"keepfit@{said.host}"
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = f"[keepfit] {title(message)}", sender, ", ".join(said.to)
    mail["Date"] = format_datetime(clock.from_micros(now))
    mail["Message-ID"] = f"<{message.id.replace('/', '.')}@{sender.rpartition('@')[2].rstrip('>')}>"
    where = message.link or see(message)
    mail.set_content("\n".join([title(message), "", *(f"- {line}" for line in lines(message)), "", where, ""]))
    mail.add_alternative(_page(message, where), subtype="html")
    return mail


def _page(message: Message, where: str) -> str:
    rows = "".join(
        f'<li style="margin:4px 0"><b style="color:{COLOURS["over" if status_of(one) == "resolved" else one.severity]}">'
        f"{escape(status_of(one))}</b> {escape(one.sentence)}</li>"
        for one in message.notices
    )
    link = f'<a href="{escape(where)}">{escape(where)}</a>' if message.link else f"<code>{escape(where)}</code>"
    head = f'<h3 style="margin:0 0 8px">{escape(title(message))}</h3>'
    return f'<html><body style="{STYLE}">{head}<ul style="padding-left:18px">{rows}</ul><p>{link}</p></body></html>'


def open_channel(said: Mapping[str, Any], environment: Environment) -> Email:
    """Return the channel."""
    return Email(options_of(EmailOptions, said, "email"), environment)
