#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small reader and a small client of event streams, right and in many ways wrong, for run_test.py.

    faulty.py read FAULT           reads standard input
    faulty.py follow FAULT URL     connects, and comes back
"""

import json
import os
import signal
import sys
import time


# ---- a reader


class Stream:
    """Events out of chunks of bytes, by the rules of the standard but for one fault."""

    def __init__(self, fault, last=""):
        self.fault, self.last, self.id, self.retry = fault, last, last, None
        self.pending, self.at_start, self.after_cr = b"", True, False
        self.data, self.type = "", ""

    def feed(self, chunk):
        self.pending += chunk
        if self.at_start and self.fault != "keeps the mark":
            if len(self.pending) < 3 and b"\xef\xbb\xbf".startswith(self.pending):
                return
            self.pending = self.pending.removeprefix(b"\xef\xbb\xbf")
        self.at_start = False
        while (line := self.next_line()) is not None:
            yield from self.take(
                line.decode("utf-8", "strict" if self.fault == "is strict" else "replace")
            )

    def next_line(self):
        if self.after_cr and self.pending:
            self.after_cr = False
            if self.pending[:1] == b"\n" and self.fault != "doubles a cut CRLF":
                self.pending = self.pending[1:]
        ends = [at for at in (self.pending.find(b"\r"), self.pending.find(b"\n")) if at >= 0]
        if not ends:
            return None
        end = min(ends)
        if self.fault == "waits after CR" and self.pending[end:] == b"\r":
            return None
        line, self.after_cr = self.pending[:end], self.pending[end : end + 1] == b"\r"
        self.pending = self.pending[end + 1 :]
        return line

    def take(self, line):
        if line == "" or (self.fault == "trims lines" and not line.strip()):
            self.last = self.id
            if self.data or self.fault == "gives out no data":
                yield self.type or "message", self.data[:-1], self.last
            self.data, self.type = "", self.type if self.fault == "keeps the type" else ""
            return
        name, colon, value = line.partition(":")
        value = value.strip() if self.fault == "trims values" else value.removeprefix(" ")
        if name == "data":
            self.data += value + "\n"
        elif name == "event":
            self.type = value
        elif name == "id" and ("\0" not in value or self.fault == "takes a NUL"):
            self.id = value
        elif name == "retry":
            if self.fault == "takes any number":
                value = value.strip()
            if value.isascii() and value.isdigit():
                self.retry = int(value)

    def finish(self):
        if self.fault == "ends with half" and self.data:
            yield self.type or "message", self.data[:-1], self.last


def print_events(events):
    for kind, data, last in events:
        print(json.dumps({"type": kind, "data": data, "lastEventId": last}), flush=True)


def read(fault):
    if fault == "hangs":
        time.sleep(60)
    if fault == "prints without end":
        while True:
            os.write(1, b"x" * 65536)
    if fault == "is killed":
        os.kill(os.getpid(), signal.SIGSEGV)
    stream = Stream(fault)
    while chunk := os.read(0, 65536):
        print_events(stream.feed(chunk))
    print_events(stream.finish())
    print(json.dumps({"last_event_id": stream.last, "retry": stream.retry}))
    return 3 if fault == "ends with a status" else 0


# ---- a client


def follow(fault, url):
    # Only here: a process for each cut of a stream has no time for them.
    import http.client
    import urllib.parse

    last, retry, at = "", 1.0, urllib.parse.urlsplit(url)
    while True:
        headers = {"Accept": "text/event-stream"}
        if last and fault != "forgets the id":
            headers["Last-Event-ID"] = last.encode()
        connection = http.client.HTTPConnection(at.netloc)
        try:
            connection.request("GET", at.path, headers=headers)
            answer = connection.getresponse()
            kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if answer.status in (301, 302, 303, 307, 308):
                at = urllib.parse.urlsplit(urllib.parse.urljoin(url, answer.headers["Location"]))
                continue
            if answer.status != 200 and fault != "goes on after errors":
                return 0
            if kind != "text/event-stream" and fault not in (
                "reads anything",
                "goes on after errors",
            ):
                return 0
            stream = Stream(fault, last)
            while chunk := answer.read1(65536):
                print_events(stream.feed(chunk))
                last = stream.last
            if stream.retry is not None and fault != "ignores retry":
                retry = min(stream.retry / 1000, 1e6)
        except (OSError, http.client.HTTPException):
            pass
        connection.close()
        at = urllib.parse.urlsplit(url)
        time.sleep(retry)


if __name__ == "__main__":
    sys.exit(read(sys.argv[2]) if sys.argv[1] == "read" else follow(sys.argv[2], sys.argv[3]))
