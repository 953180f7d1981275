"""A post office on the loopback: real HTTP, as a webhook would be told."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "Planted9TokenOfAChannel"


class AlertServer:
    """Keeps what arrives. `status` is what it answers, `gate` holds the answers back until it is set."""

    def __init__(self):
        self.messages = []
        self.asked = []
        self.status = 200
        self.gate = threading.Event()
        self.gate.set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.asked.append(self.path)
                server.gate.wait(30)
                if server.status == 200:
                    server.messages.append(json.loads(body))
                self.send_response(server.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self):
                server.asked.append(self.path)
                server.gate.wait(30)
                self.send_response(server.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def url(self, name=TOKEN):
        return f"json://127.0.0.1:{self.port}/{name}"

    def web(self, name=TOKEN):
        return f"http://127.0.0.1:{self.port}/{name}"

    @property
    def titles(self):
        return [letter["title"] for letter in self.messages]

    def close(self):
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
