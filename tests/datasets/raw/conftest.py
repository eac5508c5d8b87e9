"""A web server on this machine that fails on demand."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

HTML_PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"


class Hub:
    """Files by name, and for each name the faults of its next answers."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: defaultdict[str, list[str]] = defaultdict(list)
        self.requests: list[str] = []
        self.headers: dict[str, str] = {}
        self.released = threading.Event()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/download"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.removeprefix("/download/")
        self.requests.append(name)
        fault = self.faults[name].pop(0) if self.faults[name] else ""
        body = self.files.get(name)
        if fault == "302":
            request.send_response(302)
            request.send_header("Location", self.headers["Location"])
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        if fault.isdigit() or body is None:
            request.send_error(int(fault or 404))
            return
        if fault == "html":
            body = HTML_PAGE
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        for header, value in self.headers.items():
            request.send_header(header, value)
        request.end_headers()
        if fault == "truncate":
            request.wfile.write(body[: len(body) // 2])
        elif fault == "stall":
            request.wfile.write(body[: len(body) * 3 // 4])
            request.wfile.flush()
            self.released.wait(30)
        else:
            request.wfile.write(body)
        request.close_connection = True


@pytest.fixture
def hub() -> Iterator[Hub]:
    """Return a running server without files."""
    hub = Hub()
    yield hub
    hub.released.set()
    hub.server.shutdown()
    hub.server.server_close()
