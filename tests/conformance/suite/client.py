# SPDX-License-Identifier: MIT
"""The cases of a program that takes a URL."""

import base64
import json
import os
import threading
import time

from .cases import Script, Stream, load
from .judge import Failure, check_events, check_last_event_id, count_of
from .program import Program
from .server import Server


class Client:
    """Runs the cases of a program that takes a URL."""

    def __init__(self, options):
        self.options = options

    def tasks(self):
        for case in load("url-cases.json", Script):
            yield case, self.run_script
        for case in load("parser-cases.json", Stream) + load("large-cases.json", Stream):
            yield case, self.run_stream

    def start(self, url, events):
        command = [word.replace("{url}", url) for word in self.options.command]
        if command == self.options.command:
            command.append(url)
        types = sorted({event[0] for event in events} | {"message", "foo", "a", "b", "t"})
        return Program(command, dict(os.environ, SSE_EVENT_TYPES=json.dumps(types)), False)

    def run_with(self, answers, events, judge, limit):
        """Runs a client against answers; judge(server, program, until) raises what is wrong."""
        holder = []
        started = threading.Event()

        def wait_for_events(count, until):
            return started.wait(10) and holder[0].wait_for_events(count, until)

        server = Server(answers, wait_for_events, limit)
        program = None
        try:
            program = self.start(server.url, events)
            holder.append(program)
            started.set()
            judge(server, program, time.monotonic() + limit)
            if (program.process.poll() or 0) < 0:
                raise Failure(program.failure())
        finally:
            if program:
                program.stop()
            server.close()

    def settle(self, program, count, until):
        """Gives a client time to print what is missing, and a moment for what is too much."""
        if program.wait_for_events(count, until):
            program.wait_for_events(count + 1, time.monotonic() + 0.1)

    def run_script(self, case):
        def judge(server, program, until):
            wanted = len(case.requests)
            server.wait_for_requests(wanted, until, lambda: program.done)
            # The last answer must have been read, and nothing may follow where the client has to stop.
            self.settle(program, len(case.events), 0 if server.trouble else until)
            if case.stops and len(server.requests) == wanted:
                quiet = time.monotonic() + self.options.quiet
                server.wait_for_requests(wanted + 1, quiet, lambda: program.done)
            if server.trouble:
                raise Failure(program.failure() or server.trouble)
            self.check_requests(case, server, program)
            check_events(program.events, case.events)

        self.run_with(case.answers, case.events, judge, self.options.limit)

    def check_requests(self, case, server, program):
        requests = list(server.requests)
        if len(requests) < len(case.requests):
            what = program.failure() or ("has ended" if program.done else "waits")
            raise Failure(
                f"{count_of(len(requests), 'request')}, then it {what}; there should be {len(case.requests)}"
            )
        if case.stops and len(requests) > len(case.requests):
            raise Failure(
                f"goes on: {count_of(len(requests), 'request')}, not {len(case.requests)}"
            )
        for number, (wanted, seen) in enumerate(zip(case.requests, requests)):
            before = requests[number - 1]["time"] if number else None
            self.check_request(f"request {number + 1}", wanted, seen, before)

    @staticmethod
    def check_request(which, wanted, seen, before):
        for name in ("method", "path"):
            if name in wanted and seen[name] != wanted[name]:
                raise Failure(f"{which}: {name} is {seen[name]}, not {wanted[name]}")
        if "accept" in wanted and seen["headers"].get("accept") != wanted["accept"].encode():
            raise Failure(
                f"{which}: Accept is {seen['headers'].get('accept')}, not {wanted['accept']}"
            )
        if "last_event_id" in wanted:
            check_last_event_id(
                which, seen["headers"].get("last-event-id"), wanted["last_event_id"]
            )
        if "after" in wanted:
            least, most = wanted["after"]
            after = round((seen["time"] - before) * 1000)
            if after < least:
                raise Failure(f"{which}: comes after {after} ms, not after at least {least}")
            if most is not None and after > most:
                raise Failure(f"{which}: comes after {after} ms, not within {most}")

    def run_stream(self, case):
        # Cut in the middle, so that not all of it is in one packet; and byte by byte.
        middle = len(case.bytes) // 2
        self.run_body(case, [case.bytes[:middle], case.bytes[middle:]], 30, "in two parts")
        if not case.large and not self.options.quick:
            self.run_body(
                case, [case.bytes[i : i + 1] for i in range(len(case.bytes))], 1, "byte by byte"
            )

    def run_body(self, case, pieces, wait, how):
        body = []
        for piece in pieces:
            body += [{"b64": base64.b64encode(piece).decode()}, {"wait": wait}]
        # Where the stream asks for a long time, nobody waits for the next connection.
        # Where some clients cannot send the id, that has cases of its own.
        comes_back = (case.retry is None or int(case.retry) <= 1000) and case.last.isascii()

        def judge(server, program, until):
            program.wait_for_events(len(case.events), until)
            if comes_back:
                soon = min(until, time.monotonic() + self.options.quiet + 2)
                server.wait_for_requests(2, soon, lambda: program.done)
            self.settle(program, len(case.events), time.monotonic() + self.options.patience)
            if not comes_back:
                program.wait_for_events(len(case.events) + 1, time.monotonic() + 0.3)
            check_events(program.events, case.events)
            if not comes_back:
                return
            # Whether it comes back is a case of its own; here it must not have failed.
            if len(server.requests) < 2:
                if broken := program.failure():
                    raise Failure(f"after the stream it {broken}")
            elif case.last == case.last.strip():  # no header keeps white space at its ends
                headers = server.requests[1]["headers"]
                check_last_event_id("request 2", headers.get("last-event-id"), case.last or None)

        try:
            self.run_with([{"body": body}], case.events, judge, self.options.limit)
        except Failure as failure:
            raise Failure(f"{how}: {failure}", failure.rule) from None
