# SPDX-License-Identifier: MIT
"""A server that answers by a script, and remembers what it was asked."""

import socket
import struct
import threading
import time

from .cases import bytes_of

MOST_REQUESTS = 10000
DEFAULT_TYPE = "text/event-stream"


class Server:
    """Answers by a script on a port of its own, and remembers what it was asked."""

    def __init__(self, answers, events_of, limit):
        self.answers = answers
        self.wait_for_events = events_of
        self.until = time.monotonic() + limit
        self.requests = []
        self.trouble = None
        self.changed = threading.Condition()
        self.closing = threading.Event()
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/stream"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.closing.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        except OSError:
            pass
        self.listener.close()
        with self.changed:
            for peer in self.open:
                try:
                    peer.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self):
        while not self.closing.is_set():
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with self.changed:
                if len(self.open) >= 256:  # a storm is seen by what was asked until now
                    peer.close()
                    continue
                self.open.add(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        try:
            peer.settimeout(60)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            request = self._read_request(peer)
            if request is None:
                return
            with self.changed:
                number = len(self.requests)
                if number == MOST_REQUESTS:
                    return
                self.requests.append(request)
                self.changed.notify_all()
            self._answer(
                peer, self.answers[number] if number < len(self.answers) else {"status": 204}
            )
        except OSError:
            pass  # the client has gone, which is its right
        finally:
            with self.changed:
                self.open.discard(peer)
            peer.close()

    @staticmethod
    def _read_request(peer):
        head = b""
        while b"\r\n\r\n" not in head:
            part = peer.recv(65536)
            if not part or len(head) > 1 << 20:
                return None
            head += part
        line, *fields = head.split(b"\r\n\r\n")[0].split(b"\r\n")
        method, path, *_ = line.decode("latin-1").split(" ")
        headers = {}
        for field in fields:
            name, _, value = field.partition(b":")
            headers[name.strip().lower().decode("latin-1")] = value.strip()
        if not path.startswith("/stream"):  # a browser's favicon.ico
            peer.sendall(
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return None
        return {"time": time.monotonic(), "method": method, "path": path, "headers": headers}

    def _answer(self, peer, answer):
        end = answer.get("end", "proper")
        if end == "no answer":
            reset(peer)
            return
        status, body = answer.get("status", 200), answer.get("body", [])
        framing = answer.get("framing", "chunked")
        lines = [
            f"HTTP/1.1 {status} Whatever",
            "Connection: close",
            "Cache-Control: no-store",
            "Access-Control-Allow-Origin: *",
        ]
        if "location" in answer:
            lines.append(f"Location: {answer['location']}")
        media_type = answer.get("type", DEFAULT_TYPE)
        if "body" in answer and media_type is not None:
            lines.append(f"Content-Type: {media_type}")
        if not body:
            framing = "length"
        if framing == "length":
            size = sum(len(bytes_of(piece)) for piece in body if is_bytes(piece))
            if status != 204:
                lines.append(f"Content-Length: {size + (100 if end == 'cut' else 0)}")
        elif framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        peer.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        for piece in body:
            if not self._play(peer, piece, framing == "chunked"):
                return
        if end == "reset":
            reset(peer)
        elif end == "hold":
            self.closing.wait(max(0, self.until - time.monotonic()))
        else:
            if framing == "chunked" and end == "proper":
                peer.sendall(b"0\r\n\r\n")
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(65536):  # a close with bytes unread would be a reset
                pass

    def _play(self, peer, piece, chunked):
        """Sends a piece of a body, or waits. Returns whether to go on."""
        if is_bytes(piece):
            data = bytes_of(piece)
            if data:
                peer.sendall(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
        elif "wait" in piece:
            self.closing.wait(piece["wait"] / 1000)
        elif not self.wait_for_events(piece["events"], min(self.until, time.monotonic() + 3)):
            self.trouble = f"has not given out event {piece['events']} while the stream goes on"
            with self.changed:
                self.changed.notify_all()
            return False
        return not self.closing.is_set()

    def wait_for_requests(self, count, until, also=lambda: False):
        with self.changed:
            while len(self.requests) < count and not self.trouble and not also():
                left = until - time.monotonic()
                if left <= 0:
                    break
                self.changed.wait(min(left, 0.1))
            return len(self.requests) >= count


def is_bytes(piece):
    return isinstance(piece, str) or "b64" in piece or "repeat" in piece


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
