"""A mail server for tests (aiosmtpd): keeps each mail that it takes in a folder, and misbehaves by the recipient's name.

refused@  550, always          later@  451 the first two times, then taken
hang@     the text is kept, but never answered (the sender cannot know)
"""

import argparse
import asyncio
import itertools
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Folder:
    def __init__(self, path):
        self.path, self.numbers, self.later = path, itertools.count(1), {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 no such user"
        if address.startswith("later@"):
            self.later[address] = self.later.get(address, 0) + 1
            if self.later[address] <= 2:
                return "451 4.7.1 greylisted, try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        head = f"X-Rcpt: {','.join(envelope.rcpt_tos)}\r\nX-Tls: {session.ssl is not None}\r\nX-Auth: {session.authenticated}\r\n"
        name = os.path.join(self.path, f"{next(self.numbers)}")
        with open(name + ".part", "wb") as file:
            file.write(head.encode() + envelope.content)
        os.rename(name + ".part", name + ".eml")
        if envelope.rcpt_tos[0].startswith("hang@"):
            await asyncio.sleep(3600)
        return "250 taken"


def authenticator(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"shop" and data.password == b"secret")


async def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--folder", required=True)
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--certificate")
    arguments.add_argument("--key")
    arguments = arguments.parse_args()
    options = {}
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate, arguments.key)
        options = dict(tls_context=context, require_starttls=True, auth_required=True, authenticator=authenticator)
    handler = Folder(arguments.folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, hostname="localhost", enable_SMTPUTF8=True, **options), "127.0.0.1", arguments.port)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Ends with its parent.
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
