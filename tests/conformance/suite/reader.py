# SPDX-License-Identifier: MIT
"""The cases of a program that reads standard input."""

import os
import time

from .cases import Chunks, Stream, load
from .judge import Failure, check_events, check_retry, same_events, shown, shown_events
from .program import Program


class Reader:
    """Runs the cases of a program that reads standard input."""

    def __init__(self, options):
        self.options = options

    def tasks(self):
        for case in load("parser-cases.json", Stream) + load("large-cases.json", Stream):
            yield case, self.run_stream
        for case in load("chunk-cases.json", Chunks):
            yield case, self.run_chunks

    def start(self):
        return Program(self.options.command, os.environ, True)

    def run_stream(self, case):
        size = len(case.bytes)
        self.run_split(case, [case.bytes], "whole")
        if case.large:
            middle = size // 2 + 1
            self.run_split(
                case, [case.bytes[:middle], case.bytes[middle:]], f"cut at byte {middle}"
            )
            return
        self.run_split(case, [case.bytes[i : i + 1] for i in range(size)], "byte by byte")
        for cut in cuts_of(case.bytes, self.options.cuts):
            self.run_split(case, [case.bytes[:cut], case.bytes[cut:]], f"cut at byte {cut}")

    def run_split(self, case, pieces, how):
        until = time.monotonic() + self.options.limit
        program = self.start()
        try:
            for piece in pieces:
                program.write(piece, until)
            program.close_input()
            if not program.wait_for_end(until):
                raise Failure(f"{how}: has not come to its end after {self.options.limit:g} s")
            if broken := program.failure():
                raise Failure(broken)
            check_events(program.events, case.events)
            self.check_end(program, case)
        except Failure as failure:
            what = str(failure)
            what = what if what.startswith(how) else f"{how}: {what}"
            raise Failure(what, failure.rule) from None
        finally:
            program.stop()

    def check_end(self, program, case):
        if program.end is None:
            return
        if program.end["last_event_id"] != case.last:
            seen = shown(program.end["last_event_id"])
            raise Failure(f"has {seen} for the last event ID, not {shown(case.last)}", "id")
        if "retry" in program.end:
            check_retry(program.end["retry"], case.retry)

    def run_chunks(self, case):
        until = time.monotonic() + self.options.limit
        program = self.start()
        expected = []
        late = None
        try:
            for number, (piece, events) in enumerate(case.chunks, 1):
                program.write(piece, until)
                expected += events
                if late:
                    continue
                soon = min(until, time.monotonic() + self.options.patience)
                if not program.wait_for_events(len(expected), soon):
                    seen, wanted = shown_events(program.events), shown_events(expected)
                    late = f"after chunk {number}: has given out {seen}, not {wanted}"
                    continue
                if not events:
                    time.sleep(0.005)  # what comes too early may show now, or with a later chunk
                check_events(program.events, expected)
            program.close_input()
            if not program.wait_for_end(until):
                raise Failure(f"has not come to its end after {self.options.limit:g} s")
            if broken := program.failure():
                raise Failure(broken)
            if late:
                # Right in the end, or not even then.
                right = same_events(program.events, expected)
                raise Failure(late, "at-once" if right else None)
            check_events(program.events, expected)
        finally:
            program.stop()


def cuts_of(data, most):
    """Where to cut: everywhere, or at the `most` positions that tell most."""
    everywhere = list(range(1, len(data)))
    if len(everywhere) <= most:
        return everywhere

    # Inside CRLF and after CR, then inside characters, then anywhere.
    def weight(cut):
        if data[cut - 1] == 13:
            return 0 if data[cut] == 10 else 1
        return 2 if data[cut] >= 0x80 else 3

    spread = sorted(everywhere, key=lambda cut: (weight(cut), (cut * 7919) % len(data)))
    return sorted(spread[:most])
