"""Requests to the origins that `skill.toml` asks for and the host grants.

The world needs `import wasi:http/outgoing-handler@0.2.12;`, and skill.toml a line such as
`http = [{ origin = "https://api.example.com", methods = ["GET"], paths = ["/v1/"] }]` under `[capabilities]`.

    from skillhall import http

    page = http.get("https://api.example.com/v1/things", headers={"accept": "application/json"})
    if page.ok:
        things = page.json()

Redirects are not followed: where one leads is another request, which has to be granted, too.
"""

import json as _json
from urllib.parse import urlsplit

from componentize_py_types import Err, Ok
from wit_world.imports import outgoing_handler, streams, types

# What one call of a stream takes, by its specification.
_PIECE = 4096


class HttpError(Exception):
    """No answer came. `code` is the error's name in wasi:http, such as `HttpRequestDenied` or `ConnectionRefused`."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Response:
    """An answer: `status`, `headers` (pairs of name and bytes, as they came), `body`."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def ok(self):
        """Whether the status is 200 to 299."""
        return 200 <= self.status < 300

    def header(self, name):
        """The first header of a name, or None."""
        for found, value in self.headers:
            if found.lower() == name.lower():
                return value.decode("latin-1")
        return None

    def text(self, encoding="utf-8"):
        """The body as text; what is no text becomes the replacement character."""
        return self.body.decode(encoding, "replace")

    def json(self):
        """The body as JSON. Raises ValueError if it is none."""
        return _json.loads(self.body)


def get(url, **options):
    """`request("GET", url, ..)`."""
    return request("GET", url, **options)


def post(url, **options):
    """`request("POST", url, ..)`."""
    return request("POST", url, **options)


def request(method, url, *, headers=None, body=None, json=None, timeout=None, max_bytes=4 << 20):
    """Sends a request and reads the whole answer.

    `body` is bytes or text; `json` is anything that is sent as JSON. `timeout` is in seconds, for connecting and for each wait. Raises
    HttpError if no answer comes, or one with more than `max_bytes`, and ValueError if `url` is none of http or https.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"no URL of http or https: {url}")
    given = list(headers.items() if hasattr(headers, "items") else headers or [])
    if json is not None:
        body = _json.dumps(json)
        given.append(("content-type", "application/json"))
    if isinstance(body, str):
        body = body.encode()
    if body is not None:
        given.append(("content-length", str(len(body))))
    try:
        return _send(method, parts, given, body, timeout, max_bytes)
    except Err as error:
        raise HttpError(_code(error.value)) from None


def _send(method, parts, headers, body, timeout, max_bytes):
    fields = types.Fields.from_list([(name.lower(), value.encode("latin-1")) for name, value in headers])
    outgoing = types.OutgoingRequest(fields)
    outgoing.set_method(_method(method.upper()))
    outgoing.set_scheme(types.Scheme_Https() if parts.scheme == "https" else types.Scheme_Http())
    outgoing.set_authority(parts.netloc)
    outgoing.set_path_with_query((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    options = None
    if timeout is not None:
        nanoseconds = int(timeout * 1_000_000_000)
        options = types.RequestOptions()
        options.set_connect_timeout(nanoseconds)
        options.set_first_byte_timeout(nanoseconds)
        options.set_between_bytes_timeout(nanoseconds)
    sent = outgoing.body()
    future = outgoing_handler.handle(outgoing, options)
    if body:
        with sent.write() as stream:
            for start in range(0, len(body), _PIECE):
                stream.blocking_write_and_flush(body[start : start + _PIECE])
    types.OutgoingBody.finish(sent, None)
    with future, future.subscribe() as ready:
        ready.block()
        answer = future.get().value
        if not isinstance(answer, Ok):
            raise answer
        with answer.value as response, response.headers() as received:
            return Response(response.status(), received.entries(), _read(response, max_bytes))


def _read(response, max_bytes):
    read = bytearray()
    with response.consume() as body, body.stream() as stream:
        while True:
            try:
                read += stream.blocking_read(65_536)
            except Err as error:
                if isinstance(error.value, streams.StreamError_Closed):
                    return bytes(read)
                with error.value.value as failed:
                    raise HttpError(failed.to_debug_string()) from None
            if len(read) > max_bytes:
                raise HttpError("HttpResponseBodySize")


def _method(name):
    named = getattr(types, f"Method_{name.capitalize()}", None)
    return types.Method_Other(name) if named is None or name == "OTHER" else named()


def _code(value):
    return type(value).__name__.removeprefix("ErrorCode_").removeprefix("HeaderError_") if value is not None else "InvalidRequest"
