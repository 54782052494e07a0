"""A mail server for the tests: STARTTLS or TLS, login required, each message into a folder.

Arguments: mode (starttls or tls), port, folder, certificate, key, user, password. Prints "ready"
when it listens and ends with its standard input. A file `die` in the folder makes it end once
while it takes a message, before it has kept or answered it.
"""

import json
import logging
import os
import ssl
import sys
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Keeper:
    """Keeps messages as numbered files: the bytes, and beside them who sent what to whom."""

    def __init__(self, folder):
        self.folder = folder

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("gone@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        die = self.folder / "die"
        if die.exists():
            die.unlink()
            os._exit(9)
        number = len(list(self.folder.glob("*.eml")))
        facts = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "is_encrypted": session.ssl is not None or "tls" == sys.argv[1],
            "is_logged_in": session.authenticated,
        }
        (self.folder / f"{number}.json").write_text(json.dumps(facts))
        (self.folder / f"{number}.eml").write_bytes(envelope.original_content)
        return f"250 2.0.0 kept as {number}"


class TlsController(Controller):
    """TLS from the first byte; aiosmtpd then has to be told that the login is safe."""

    def factory(self):
        return SMTP(self.handler, auth_require_tls=False, **self.SMTP_kwargs)


def main():
    logging.disable(logging.CRITICAL)
    mode, port, folder, certificate, key, user, password = sys.argv[1:8]

    def authenticate(server, session, envelope, mechanism, data):
        is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            user.encode(),
            password.encode(),
        )
        return AuthResult(success=is_right, handled=False)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    settings = {
        "hostname": "127.0.0.1",
        "port": int(port),
        "authenticator": authenticate,
        "auth_required": True,
    }
    if mode == "tls":
        controller = TlsController(Keeper(Path(folder)), ssl_context=context, **settings)
    else:
        controller = Controller(
            Keeper(Path(folder)), tls_context=context, require_starttls=True, **settings
        )
    controller.start()
    print("ready", flush=True)
    sys.stdin.read()
    controller.stop()


main()
