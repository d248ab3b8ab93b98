# SPDX-License-Identifier: MIT
"""A process whose lines are collected as they come, and that nothing of it outlives."""

import fcntl
import json
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import termios
import threading
import time

from .judge import event_of, shown

MOST_OUTPUT = 64 << 20


class Program:
    """A process whose lines are collected as they come, and that is not outlived by any of its own."""

    def __init__(self, command, environment, with_input):
        self.folder = tempfile.mkdtemp(prefix="conformance-")  # for what it would leave behind
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if with_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=dict(environment, TMPDIR=self.folder),
            start_new_session=True,
        )
        self.changed = threading.Condition()
        self.events = []
        self.end = None  # the line about the end
        self.errors = b""
        self.overflow = False
        self.done = False  # all output has been read
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        pending, size = bytearray(), 0
        out, err = self.process.stdout, self.process.stderr
        with selectors.DefaultSelector() as ready:
            for pipe in (out, err):
                ready.register(pipe, selectors.EVENT_READ)
            while ready.get_map():
                for key, _ in ready.select():
                    part = os.read(key.fd, 65536)
                    if not part:
                        ready.unregister(key.fileobj)
                    elif key.fileobj is err:
                        self.errors = (self.errors + part)[-2000:]
                    else:
                        size += len(part)
                        pending += part
                        if b"\n" in part:
                            *lines, pending = pending.split(b"\n")
                            self._take(lines)
                if size > MOST_OUTPUT:
                    self.overflow = True
                    self.kill()
                    break
        if pending:
            self._take([pending])
        out.close()
        err.close()
        with self.changed:
            self.done = True
            self.changed.notify_all()

    def _take(self, lines):
        for line in lines:
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if not isinstance(value, dict):
                continue
            with self.changed:
                event = event_of(value)
                if event is not None:
                    self.events.append(event)
                elif "last_event_id" in value:
                    self.end = value
                self.changed.notify_all()

    def wait_for_events(self, count, until):
        """Returns whether there are so many, at the latest at that time."""
        with self.changed:
            self.changed.wait_for(
                lambda: len(self.events) >= count or self.done, max(0, until - time.monotonic())
            )
            return len(self.events) >= count

    def wait_for_end(self, until):
        try:
            self.process.wait(max(0.001, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        self.reader.join(max(0.001, until - time.monotonic()))
        return True

    def write(self, data, until):
        """Writes, and waits until the program has taken it. Whether it wants it shows in its output."""
        pipe = self.process.stdin.fileno()
        left = memoryview(data)
        os.set_blocking(pipe, False)
        while left and time.monotonic() < until:
            try:
                left = left[os.write(pipe, left[:4096]) :]
            except BlockingIOError:
                time.sleep(0.0005)
            except OSError:
                return
        while self.process.poll() is None and time.monotonic() < until:
            try:
                waiting = fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0")
            except OSError:  # not on this system
                time.sleep(0.005)
                return
            if waiting == b"\0\0\0\0":
                return
            time.sleep(0.0002)

    def close_input(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def stop(self):
        self.kill()
        self.process.wait()
        if self.process.stdin:
            self.close_input()
        self.reader.join(5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def failure(self):
        """What has gone wrong with the process itself, or None."""
        if self.overflow:
            return f"prints more than {MOST_OUTPUT >> 20} MiB"
        status = self.process.poll()
        if not status:
            return None
        how = f"is ended by signal {-status}" if status < 0 else f"ends with status {status}"
        lines = self.errors.decode("utf-8", "replace").strip().splitlines()
        telling = [line for line in lines if "rror" in line and not line.startswith(" ")] or lines
        return f"{how}: {shown(telling[-1])}" if telling else how
