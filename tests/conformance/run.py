#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tells how well a reader of Server-Sent Events keeps to the HTML standard, whatever it is written in.

    run.py [options] -- COMMAND...            a program that reads a stream from standard input
    run.py [options] --client -- COMMAND...   a program that takes a URL

Either prints each event as a line of JSON, as soon as it has it:

    {"type": "message", "data": "...", "lastEventId": "..."}

lastEventId may be left out, and is then not judged. A reader of standard input may end with what it
has kept, {"last_event_id": "...", "retry": 1500}, with null for a retry that was never set; what it
does not print is not judged. Lines that are no JSON object with "data" or "last_event_id" are passed
over.

A reader is fed each case whole, byte by byte, cut in two at every position, and with the chunks of
chunk-cases.json, which say what has to be there after each of them. The next bytes are written when
the program has taken those before.

A client is called with the URL of a server of this program in place of {url}, or after its last
argument; SSE_EVENT_TYPES in its environment has a JSON array of the types of events that a client
should subscribe to which cannot ask for all. It connects, and comes back, by itself; it is ended when
its case is. The server plays the scripts of url-cases.json, and sends the streams of the other files,
each whole and byte by byte.

Each case is a process of its own with a time limit. One that crashes, hangs, or prints without end is
a failed case. What has failed is told with the rule of the standard that it breaks (rules.json).

exit status: 0   every case has passed
             1   at least one has failed
             2   none has failed, but the budget was spent before all had run
             64  the command line is wrong, or the command cannot be started
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import sys
import time

sys.dont_write_bytecode = True  # no folder of it beside the sources
from suite.cases import load_rules
from suite.client import Client
from suite.judge import Failure, count_of
from suite.reader import Reader

USAGE_ERROR = 64


class Progress:
    """Tells on standard error how far it is: in place on a terminal, else every few seconds."""

    def __init__(self, total, quiet):
        self.total, self.quiet = total, quiet
        self.terminal = sys.stderr.isatty()
        self.started = self.told = time.monotonic()

    def tell(self, done, failed):
        now = time.monotonic()
        if self.quiet or now - self.told < (0.2 if self.terminal else 5):
            return
        self.told = now
        line = f"{done} of {self.total} cases, {failed} failed, {now - self.started:.0f} s"
        print(
            f"\r{line}\x1b[K" if self.terminal else line,
            end="" if self.terminal else "\n",
            file=sys.stderr,
            flush=True,
        )

    def clear(self):
        if self.terminal and not self.quiet:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


# Where an id is a part of the rule itself.
RULES_WITH_IDS = {
    "id",
    "id-nul",
    "last-event-id",
    "unfinished",
    "fields",
    "decoding",
    "byte-order-mark",
}


def run_one(case, run, rule, until, again):
    """Runs a case, and once more for each of so many times while it fails."""
    result = run_once(case, run, rule, until)
    for _ in range(again):
        if result["outcome"] != "failed":
            break
        what, result = result["what"], run_once(case, run, rule, until)
        if result["outcome"] == "passed":
            result["what"] = f"at first: {what}"
        elif result["outcome"] == "not run":
            return {**result, "outcome": "failed", "what": what}
    return result


def run_once(case, run, rule, until):
    result = {"id": case.id, "title": case.title, "rule": rule, "outcome": "passed", "what": None}
    if time.monotonic() > until:
        return {**result, "outcome": "not run", "what": "the budget was spent"}
    try:
        run(case)
    except Failure as failure:
        if failure.rule and (failure.rule == "at-once" or rule not in RULES_WITH_IDS):
            rule = failure.rule
        return {**result, "rule": rule, "outcome": "failed", "what": str(failure)}
    except OSError as error:  # no process, or no socket
        return {**result, "outcome": "failed", "what": f"cannot be run: {error}"}
    return result


def run_all(tasks, of_case, options):
    until = time.monotonic() + options.budget
    progress = Progress(len(tasks), options.quiet_progress)
    results = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = [
            pool.submit(run_one, case, run, of_case[case.id]["id"], until, options.again)
            for case, run in tasks
        ]
        try:
            for future in concurrent.futures.as_completed(running):
                results.append(future.result())
                progress.tell(len(results), sum(r["outcome"] == "failed" for r in results))
        except BaseException:
            pool.shutdown(cancel_futures=True, wait=False)
            raise
    progress.clear()
    order = {case.id: number for number, (case, _) in enumerate(tasks)}
    return sorted(results, key=lambda result: order[result["id"]])


def print_report(results, rules, took):
    broken = collections.OrderedDict()
    for result in results:
        if result["outcome"] == "failed":
            broken.setdefault(result["rule"], []).append(result)
    for rule in rules:
        if rule["id"] not in broken:
            continue
        print(f"{rule['id']} (HTML standard, {rule['section']}): {rule['words']}")
        for result in broken[rule["id"]]:
            print(f"    {result['id']} {result['title']}\n        {result['what']}")
        print()
    count = collections.Counter(result["outcome"] for result in results)
    line = f"{count['passed']} of {count_of(len(results), 'case')} passed, {count['failed']} failed"
    if broken:
        line += f" by {count_of(len(broken), 'rule')}"
    if late := [
        result["id"] for result in results if result["outcome"] == "passed" and result["what"]
    ]:
        line += f", {', '.join(late)} not at first"
    if count["not run"]:
        line += f", {count['not run']} not run: the budget was spent"
    print(f"{line}; {took:.1f} s")


def positive(kind):
    def read(text):
        number = kind(text)
        if number <= 0:
            raise ValueError
        return number

    read.__name__ = "number above zero"
    return read


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(USAGE_ERROR, f"run.py: {message}\n")


def read_options(arguments):
    parser = Parser(
        prog="run.py",
        usage="%(prog)s [options] [--client] [--] COMMAND...",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--client",
        action="store_true",
        help="the command takes a URL, and does not read standard input",
    )
    parser.add_argument(
        "--filter", metavar="REGEX", help="only cases whose id, rule or title it is found in"
    )
    parser.add_argument(
        "--skip", metavar="REGEX", help="no cases whose id, rule or title it is found in"
    )
    parser.add_argument(
        "--list", action="store_true", help="print the cases and their rules, and run nothing"
    )
    parser.add_argument(
        "--json",
        metavar="FILE",
        help="write a report too; - is standard output, and nothing else is printed there",
    )
    parser.add_argument(
        "--cuts",
        metavar="N",
        type=int,
        default=1 << 30,
        help="cut a stream at no more than N positions, those that tell most (default: at all)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="three cuts for a reader; for a client no streams byte by byte",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=positive(int),
        help="cases at one time (default: two for each processor; 16 with --client)",
    )
    parser.add_argument(
        "--limit",
        metavar="S",
        type=positive(float),
        default=12,
        help="seconds for a process (default: 12)",
    )
    parser.add_argument(
        "--patience",
        metavar="S",
        type=positive(float),
        default=1.5,
        help="seconds until what a chunk has brought must be printed (default: 1.5)",
    )
    parser.add_argument(
        "--quiet",
        metavar="S",
        type=positive(float),
        default=4,
        help="seconds without a request until a client counts as stopped (default: 4)",
    )
    parser.add_argument(
        "--again",
        metavar="N",
        type=int,
        default=0,
        help="run what fails so many times more, on a busy machine, and tell what passes then",
    )
    parser.add_argument(
        "--budget",
        metavar="S",
        type=positive(float),
        default=1200,
        help="seconds for all; what has not begun by then is not run (default: 1200)",
    )
    parser.add_argument(
        "--no-progress",
        dest="quiet_progress",
        action="store_true",
        help="tell nothing before the end",
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.command[:1] == ["--"]:
        del options.command[0]
    if len(options.command) == 1:
        options.command = shlex.split(options.command[0])
    if not options.command and not options.list:
        parser.error("a command is missing")
    if options.command and shutil.which(options.command[0]) is None:
        parser.error(f"cannot be started: {options.command[0]}")
    for name in ("filter", "skip"):
        try:
            setattr(
                options,
                name,
                re.compile(getattr(options, name) or ("" if name == "filter" else "(?!)")),
            )
        except re.error as error:
            parser.error(f"--{name}: {error}")
    if options.quick:
        options.cuts = min(options.cuts, 3)
    if options.jobs is None:
        options.jobs = 16 if options.client else 2 * (os.cpu_count() or 1)
    return parser, options


def main(arguments):
    parser, options = read_options(arguments)
    rules, of_case = load_rules()
    tasks = []
    for case, run in (Client if options.client else Reader)(options).tasks():
        if case.id not in of_case:
            raise SystemExit(f"rules.json has no rule for {case.id}")
        about = f"{case.id} {of_case[case.id]['id']} {case.title}"
        if options.filter.search(about) and not options.skip.search(about):
            tasks.append((case, run))
    if not tasks:
        parser.error("no case is left by --filter and --skip")
    if options.list:
        for case, _ in tasks:
            print(f"{case.id:5} {of_case[case.id]['id']:18} {case.title}")
        return 0
    began = time.monotonic()
    results = run_all(tasks, of_case, options)
    took = time.monotonic() - began
    if options.json:
        report = {
            "command": options.command,
            "client": options.client,
            "seconds": round(took, 1),
            "results": results,
        }
        text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
        if options.json == "-":
            sys.stdout.write(text)
        else:
            pathlib.Path(options.json).write_text(text, encoding="utf-8")
    if options.json != "-":
        print_report(results, rules, took)
    outcomes = {result["outcome"] for result in results}
    return 1 if "failed" in outcomes else 2 if "not run" in outcomes else 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        os._exit(130)
