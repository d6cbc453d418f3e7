"""Who may ask: only addresses with the token, only at this computer's own name, and pages that load nothing else."""

import hmac
import socket

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from analysis.system.errors import UsageError

LOOPBACK = "127.0.0.1"
_POLICY = ("default-src 'none'; script-src 'self' 'nonce-{token}'; style-src 'self' 'unsafe-inline'; "
           "img-src 'self' data:; font-src 'self'; connect-src 'self' ws://{host}; form-action 'none'; "
           "base-uri 'none'; frame-ancestors 'none'")
_REFUSED = 1008  # the code with which a web socket is closed for policy; before it is accepted the browser sees 403


class Guard:
    """Hands on what has the token at the start of its path, and answers 404 to everything else.

    The host is checked as well, since a stranger's page whose name resolves to this computer would be of the same
    origin; the origin of a web socket is, since browsers open those to any host.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self._app, self._token = app, token
        self._hosts = {f"{name}:{port}" for name in (LOOPBACK, "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks for it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        given = scope["path"].removeprefix("/").partition("/")[0].encode()
        welcome = hmac.compare_digest(given, self._token.encode()) and host in self._hosts and \
            (origin is None or origin == f"http://{host}")

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                rules = {"content-security-policy": _POLICY.format(host=host, token=self._token),
                         "referrer-policy": "no-referrer", "x-content-type-options": "nosniff",
                         "cross-origin-resource-policy": "same-origin"}
                more = [(name.encode(), value.encode()) for name, value in rules.items()]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        if welcome:
            await self._app({**scope, "root_path": f"/{self._token}"}, receive, guarded)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _REFUSED})
        else:
            await PlainTextResponse("Not found", 404)(scope, receive, send)


def listening(port: int) -> socket.socket:
    """A socket that listens on the loopback address; port 0 takes a free one.

    Raises
    ------
    UsageError
        When the port cannot be had.
    """
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((LOOPBACK, port))
        opened.listen(128)
    except OSError as error:
        opened.close()
        raise UsageError(f"port {port} cannot be had: {error.strerror}; leave --port out for a free one") from None
    return opened
