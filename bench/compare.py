#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmarks in rounds, and prints medians, ratios to the floors, and which targets hold.

Every round runs every benchmark once, what is compared with each other side by side, and all of it
in an order that changes. A ratio is the median of the ratios of the single rounds: its two sides
have then run within a second or so of each other, and a machine that becomes slower or faster
meanwhile does so for both. Times are those of the processor, because others may be using the
machine.

What is printed is Markdown; --readme puts it where the tables of bench/README.md are.
"""

import argparse
import json
import pathlib
import random
import re
import statistics
import subprocess
import sys
from typing import NamedTuple

sys.dont_write_bytecode = True  # no folder of it beside the sources
import plot

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS = ["parse", "encode", "fanout", "heartbeat", "sockets"]
DATA = ["llm", "small", "crlf", "multi", "big", "cjk", "comments", "hostile"]
NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


# ---- measuring


class Benchmark(NamedTuple):
    program: pathlib.Path
    full_name: str  # Google Benchmark's, with /manual_time and the like behind ours

    @property
    def name(self):
        return re.sub(r"/(iterations:\d+|manual_time|real_time)", "", self.full_name)

    @property
    def group(self):
        """What stands side by side in a round: all that has a name in common but for its end."""
        parts = self.name.split("/")
        return "/".join(parts[: 2 if len(parts) > 2 else 1])


def output_of(command):
    done = subprocess.run(command, text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}exit status {done.returncode}")
    return done.stdout


def benchmarks_of(build, pattern):
    missing = [name for name in PROGRAMS if not (build / f"bench/bench_{name}").exists()]
    if missing:
        sys.exit(
            f"{build / 'bench'} has no bench_{', bench_'.join(missing)}. Build them with\n"
            "    cmake --preset bench && cmake --build build/bench\n"
            "or say with --build where they are."
        )
    programs = [build / f"bench/bench_{name}" for name in PROGRAMS]
    found = [
        Benchmark(program, full_name)
        for program in programs
        for full_name in output_of([program, "--benchmark_list_tests"]).split()
    ]
    found = [each for each in found if pattern.search(each.name)]
    if not found:
        sys.exit(f"no benchmark's name matches '{pattern.pattern}'")
    return found


def measure(group, min_time, results):
    """Runs some benchmarks of one program once, in an order of its own choice."""
    names = "|".join(each.full_name.replace("+", "[+]") for each in group)
    text = output_of(
        [
            group[0].program,
            f"--benchmark_filter=^({names})$",
            f"--benchmark_min_time={min_time}",
            "--benchmark_enable_random_interleaving=true",
            "--benchmark_format=json",
        ]
    )
    report = json.loads(text)
    results.context = report["context"]
    for record in report["benchmarks"]:
        results.add(Benchmark(group[0].program, record["name"]).name, record)


def measure_all(options):
    found = benchmarks_of(options.build, re.compile(options.filter))
    groups = {}
    for each in found:
        groups.setdefault((each.program, each.group), []).append(each)
    results = Results()
    order = list(groups)
    for number in range(1, options.repetitions + 1):
        random.shuffle(order)
        for done, key in enumerate(order):
            tell(f"round {number} of {options.repetitions}, {done} of {len(order)}: {key[1]}")
            measure(groups[key], options.min_time, results)
    tell("")
    for name in results.errors:  # what is not in every round pairs with nothing
        results.rounds.pop(name, None)
    return results


def tell(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr)


# ---- what has been measured


class Results:
    def __init__(self):
        self.context = {}
        self.rounds = {}  # name: the nanoseconds of an iteration in each round
        self.items = {}  # name: in an iteration
        self.bytes = {}
        self.counters = {}  # name: all the numbers that Google Benchmark gives
        self.errors = {}

    def add(self, name, record):
        if record.get("error_occurred"):
            self.errors[name] = record["error_message"]
            return
        time = record["real_time" if "manual_time" in record["name"] else "cpu_time"]
        time *= NANOSECONDS[record["time_unit"]]
        self.rounds.setdefault(name, []).append(time)
        self.items.setdefault(name, []).append(record.get("items_per_second", 0) * time / 1e9)
        self.bytes.setdefault(name, []).append(record.get("bytes_per_second", 0) * time / 1e9)
        self.counters[name] = {
            key: value for key, value in record.items() if "/" in key and isinstance(value, float)
        }

    def time(self, name):
        """Median of the nanoseconds of an iteration; None when it was not measured."""
        return statistics.median(self.rounds[name]) if name in self.rounds else None

    def time_of_item(self, name):
        times = [t / n for t, n in zip(self.rounds.get(name, []), self.items.get(name, [])) if n]
        return statistics.median(times) if times else None

    def time_of_byte(self, name):
        times = [t / n for t, n in zip(self.rounds.get(name, []), self.bytes.get(name, [])) if n]
        return statistics.median(times) if times else None

    def speed(self, name):
        """GiB a second."""
        time = self.time_of_byte(name)
        return time and 1e9 / time / (1 << 30)

    def ratios(self, name, against):
        """How many times the other's time this one takes, in each round."""
        pairs = zip(self.rounds.get(name, []), self.rounds.get(against, []))
        return [time / other for time, other in pairs]

    def times(self, name, against):
        ratios = self.ratios(name, against)
        return statistics.median(ratios) if ratios else None

    def share(self, name, against):
        """How fast it is when the other's speed is 1."""
        return self.times(against, name)

    def made_by(self):
        """How often they were run, what has compiled them, and on what they ran."""
        rounds = max(map(len, self.rounds.values()), default=0)
        context = self.context
        compiler = ", ".join(context[key] for key in ("compiler", "vectors") if key in context)
        processors = f"{context['num_cpus']} processors of {context['mhz_per_cpu'] / 1000:.1f} GHz"
        return f"Medians of {rounds} rounds. {compiler}; {processors}."

    def as_json(self):
        def entry(name):
            it = {"ns": self.time(name), "ns of each round": self.rounds[name]}
            if per_item := self.time_of_item(name):
                it["ns of an item"] = per_item
            if speed := self.speed(name):
                it["GiB/s"] = speed
            floor = floor_of(name)
            if floor in self.rounds:
                it |= {"floor": floor, "times the floor": self.times(name, floor)}
            return it | self.counters[name] | {"items": self.items[name], "bytes": self.bytes[name]}

        kept = "compiler", "vectors", "num_cpus", "mhz_per_cpu", "caches", "library_version"
        return {
            "context": {key: self.context[key] for key in kept if key in self.context},
            "targets": [target.as_json(self) for target in TARGETS],
            "benchmarks": {name: entry(name) for name in self.rounds},
            "errors": self.errors,
        }

    @staticmethod
    def from_json(saved):
        results = Results()
        results.context = saved["context"]
        results.errors = saved["errors"]
        for name, it in saved["benchmarks"].items():
            results.rounds[name] = it["ns of each round"]
            results.items[name] = it["items"]
            results.bytes[name] = it["bytes"]
            results.counters[name] = {key: it[key] for key in it if key.startswith("bytes/")}
        return results


def floor_of(name):
    """What nobody gets under who does this work."""
    parts = name.split("/")
    if parts[0] == "parse" and parts[1] == "size":
        return f"parse/size/{parts[2]}/memchr"
    if parts[0] == "parse":
        return f"parse/{parts[1]}/whole/memchr"
    return "/".join([*parts[:-1], {"encode": "memcpy", "sockets": "raw"}.get(parts[0], "")])


# ---- targets


class Target(NamedTuple):
    """`measure` is a method of Results: `share` is to be at least `bound`, others at most."""

    claim: str
    measure: str
    bound: float
    who: str
    against: str = ""

    def reached(self, results):
        measure = getattr(results, self.measure)
        return measure(self.who, self.against) if self.against else measure(self.who)

    def holds(self, results):
        reached = self.reached(results)
        if reached is None:
            return None
        return reached >= self.bound if self.measure == "share" else reached <= self.bound

    def spread(self, results):
        """The lowest and the highest of the rounds."""
        ratios = results.ratios(self.who, self.against)
        if self.measure == "share":
            ratios = [1 / ratio for ratio in ratios]
        return f"{number(min(ratios))} to {number(max(ratios))}" if ratios else ""

    def as_text(self):
        unit = "" if self.against else " ns"
        return f"{'>=' if self.measure == 'share' else '<='} {self.bound:g}{unit}"

    def as_json(self, results):
        return self._asdict() | {"reached": self.reached(results), "holds": self.holds(results)}


def of_memchr(bound, data, who, chunk="16K"):
    name = f"parse/{data}/{chunk}/{who}"
    whole = " whole" if chunk == "whole" else ""
    return Target(f"parse {data}{whole}, {who}, of memchr", "share", bound, name, floor_of(name))


def small_chunks(data, who):
    return Target(
        f"parse {data}, {who}, chunks of 1,400 B against 16 KiB",
        "share",
        0.70,
        f"parse/{data}/1400/{who}",
        f"parse/{data}/16K/{who}",
    )


TARGETS = [
    of_memchr(0.90, "llm", "feed-pass-through"),
    of_memchr(0.50, "llm", "feed"),
    of_memchr(1.15, "small", "feed-pass-through"),
    of_memchr(0.60, "multi", "feed-pass-through"),
    of_memchr(0.45, "big", "feed-pass-through", "whole"),
    of_memchr(0.25, "cjk", "feed"),
    *(small_chunks(data, who) for data in DATA for who in ("feed-pass-through", "feed")),
    Target(
        "parse hostile, feed, of the state machine",
        "share",
        0.50,
        "parse/hostile/16K/feed",
        "parse/hostile/16K/state-machine",
    ),
    Target(
        "encode_to of 128 B, times memcpy",
        "times",
        7,
        "encode/128B/encode_to",
        "encode/128B/memcpy",
    ),
    Target(
        "encode_to of 128 B, times as fast as fmt::format_to",
        "share",
        12,
        "encode/128B/encode_to",
        "encode/128B/fmt-format_to",
    ),
    Target(
        "encode_to of 4 KiB in lines of 80, times memcpy",
        "times",
        12,
        "encode/4K-lines/encode_to",
        "encode/4K-lines/memcpy",
    ),
    Target(
        "frame::make of 128 B, times encode_to with malloc and free",
        "times",
        1.3,
        "encode/128B/frame",
        "encode/128B/encode_to+malloc",
    ),
    Target(
        "publish to 1,000,000 idle subscribers, times to 1",
        "times",
        1.1,
        "publish/1000000",
        "publish/1",
    ),
    Target(
        "publish to 1,000,000 idle subscribers with 100,000 tags, times to 1",
        "times",
        1.1,
        "publish-tags/1000000x100000",
        "publish/1",
    ),
    Target("newest of 10,000 keys, each", "time_of_item", 40, "newest/10000-of-1000000"),
    Target("heartbeat re-armed by activity", "time_of_item", 3, "heartbeat/touch/1000000"),
    Target("heartbeat expired", "time_of_item", 60, "heartbeat/expire/1000000"),
]


# ---- tables


def number(value):
    """About three digits."""
    if value is None:
        return None
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2 if value >= 0.0995 else 3
    return f"{value:,.{digits}f}"


class Table(NamedTuple):
    key: str
    head: list
    rows: list  # of lists of text; None is what was not measured
    names: int = 1  # how many cells of a row say what the others are about

    def measured(self):
        """Without the rows of which nothing was measured."""
        return self._replace(rows=[row for row in self.rows if set(row[self.names :]) != {None}])

    def as_text(self, aligned):
        rows = [self.head, *([cell or "-" for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) if aligned else 0 for column in zip(*rows)]
        lines = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
            for row in rows
        ]
        rule = ["-" * (width + 2 if aligned else 3) for width in widths]
        lines.insert(1, f"|{'|'.join(rule)}|")
        return "\n".join(lines)


def parse_table(results):
    columns = {
        "pass-through": "16K/feed-pass-through",
        "`feed`": "16K/feed",
        "`next`": "16K/next",
        "state machine": "16K/state-machine",
        "getline parser": "16K/getline-parser",
        "getline": "whole/getline",
    }
    compared = "pass-through", "`feed`", "`next`"
    head = ["data", "memchr"]
    for label in columns:
        head += [label, "ratio"] if label in compared else [label]
    rows = []
    for data in DATA:
        row = [data, number(results.speed(f"parse/{data}/whole/memchr"))]
        for label, who in columns.items():
            name = f"parse/{data}/{who}"
            row.append(number(results.speed(name)))
            if label in compared:
                row.append(number(results.share(name, floor_of(name))))
        rows.append(row)
    return Table("parse", head, rows)


def chunk_table(results):
    chunks = {"whole": "whole", "16 KiB": "16K", "1,400 B": "1400", "64 B": "64", "1 B": "1"}
    head = ["data", *chunks, "1,400 B of 16 KiB", "pass-through"]
    rows = []
    for data in DATA:
        row = [data]
        row += [number(results.speed(f"parse/{data}/{chunk}/feed")) for chunk in chunks.values()]
        for who in "feed", "feed-pass-through":
            name = f"parse/{data}/{{}}/{who}"
            row.append(number(results.share(name.format("1400"), name.format("16K"))))
        rows.append(row)
    return Table("chunks", head, rows)


def encode_table(results):
    samples = {"12 B": "12B", "128 B": "128B", "4 KiB, one line": "4K", "4 KiB, lines": "4K-lines"}
    contestants = {
        "memcpy": "memcpy",
        "`encode_to`": "encode_to",
        "roomy": "encode_to-roomy",
        "and malloc": "encode_to+malloc",
        "`frame::make`": "frame",
        "string": "string",
        "ostringstream": "ostringstream",
        "fmt": "fmt-format_to",
        "fmt compiled": "fmt-compiled",
        "fmt memory_buffer": "fmt-memory_buffer",
    }
    head = ["data", *contestants, "`encode_to` / memcpy"]
    rows = []
    for label, sample in samples.items():
        row = [label]
        row += [number(results.time(f"encode/{sample}/{who}")) for who in contestants.values()]
        name = f"encode/{sample}/encode_to"
        rows.append([*row, number(results.times(name, floor_of(name)))])
    return Table("encode", head, rows)


def fanout_table(results):
    contestants = {
        "hub": "hub",
        "ring of frames for each": "ring-each",
        "deque of shared_ptr for each": "deque-shared_ptr",
    }
    rows = []
    for count in 100, 10_000, 1_000_000:
        times = [results.time_of_item(f"fanout/{count}/{who}") for who in contestants.values()]
        rows.append([f"{count:,}", *(number(time and 1e3 / time) for time in times)])
    return Table("fanout", ["subscribers", *contestants], rows)


def hub_table(results):
    def row(what, time, unit):
        return [what, time and f"{number(time)} {unit}"]

    publish = [results.time(f"publish/{count}") for count in (1, 1_000, 1_000_000)]
    parked = [results.time(f"publish-parked/{count}") for count in (1, 1_000, 1_000_000)]

    def three(what, times):
        text = " / ".join(map(number, times)) if None not in times else None
        return [f"{what}, 1 / 1,000 / 1,000,000 idle subscribers", text and f"{text} ns"]

    def each(what, name):
        return row(what, results.time_of_item(f"heartbeat/{name}/1000000"), "ns each")

    memory = results.counters.get("memory/1000000", {}).get("bytes/subscriber")
    rows = [
        three("publish", publish),
        three("publish right after a delivery to all of them", parked),
        row(
            "replay of 10,000 events to 1,000 subscribers",
            results.time_of_item("replay/10000x1000"),
            "ns an event",
        ),
        each("heartbeat of 1,000,000: activity, in the order of memory", "touch"),
        each("heartbeat of 1,000,000: activity, shuffled", "touch-shuffled"),
        each("heartbeat of 1,000,000: leave the wheel and enter it", "arm"),
        each("heartbeat of 1,000,000: expiry", "expire"),
        each("heartbeat in the hub: look, report, hand out, drain, park", "hub"),
        row("memory of an idle subscriber of 1,000,000, of one topic", memory, "bytes"),
    ]
    return Table("hub", ["what", "cost"], rows)


def sockets_table(results):
    rows = []
    for connections in 100, 1_000, 10_000:
        for burst in 1, 16:
            name = f"sockets/{connections}/{burst}/"
            times = [results.time(name + who) for who in ("raw", "hub")]
            cells = [time and f"{number(time / 1e6)} ms" for time in times]
            ratio = number(results.times(name + "hub", name + "raw"))
            rows.append([f"{connections:,}", str(burst), *cells, ratio])
    head = ["connections", "burst", "raw sends", "hub", "ratio"]
    return Table("sockets", head, rows, names=2)


SIZES = [1 << shift for shift in range(10, 27, 2)]
PARSED_SIZES = {
    "memchr": ("memchr", "floor"),
    "memcpy": ("memcpy", "floor floor-2"),
    "feed-pass-through": ("feed, pass-through", "first"),
    "feed": ("feed", "second"),
    "feed-on_data_chunk": ("feed, on_data_chunk", "third"),
    "state-machine": ("state machine", "other"),
}
ENCODED_SIZES = {
    "memcpy": ("memcpy", "floor"),
    "encode_to": ("encode_to", "first"),
    "encode_to-roomy": ("encode_to, roomy", "second"),
    "string": ("string", "other-2"),
    "fmt-format_to": ("fmt::format_to", "other"),
}


def size_table(results):
    def cell(size, who):
        time = results.time_of_byte(f"parse/size/{size}/{who}")
        return number(time and time * 1024)

    head = ["data of an event", *(label for label, _ in PARSED_SIZES.values())]
    rows = []
    for size in SIZES:
        rows.append([plot.bytes_as_text(size), *(cell(size, who) for who in PARSED_SIZES)])
    return Table("sizes", head, rows)


def target_table(results):
    rows = []
    for target in TARGETS:
        holds = target.holds(results)
        if holds is None:
            continue
        reached = number(target.reached(results)), target.spread(results)
        rows.append([target.claim, target.as_text(), *reached, "yes" if holds else "**no**"])
    return Table("targets", ["target", "wanted", "reached", "of the rounds", "holds"], rows)


TABLES = [
    (parse_table, "Parse, GiB/s, in chunks of 16 KiB, and the ratio to memchr"),
    (chunk_table, "Parse, `feed`, GiB/s, in chunks of"),
    (size_table, "Parse, ns for 1 KiB, by the size of an event"),
    (encode_table, "Encode, ns an event"),
    (fanout_table, "Fan-out in process, millions of deliveries a second"),
    (hub_table, "Hub"),
    (sockets_table, "Sockets, processor time of the sending thread for a burst"),
    (target_table, "Targets"),
]


def write_into(path, parts):
    """Replaces what is between `<!-- compare.py: key -->` and `<!-- end -->`, for each key."""
    text = path.read_text(encoding="utf-8")
    for key, part in parts.items():
        pattern = re.compile(rf"(<!-- compare\.py: {key} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = pattern.subn(lambda found: f"{found[1]}{part}\n{found[2]}", text)
        if count != 1:
            sys.exit(f"{path} has {count} places for '{key}', not one")
    path.write_text(text, encoding="utf-8")


# ---- plots


def write_plots(folder, results):
    def lines(series, value_of, name, sizes):
        for who, (label, style) in series.items():
            points = [(size, value_of(name.format(size, who))) for size in sizes]
            points = [(size, value) for size, value in points if value is not None]
            if len(points) > 1:
                yield plot.Line(label, style, points)

    parsed = list(lines(PARSED_SIZES, results.time_of_byte, "parse/size/{}/{}", SIZES))
    sizes = [1 << shift for shift in range(4, 17, 2)]
    encoded = list(lines(ENCODED_SIZES, results.time, "encode/size/{}/{}", sizes))
    charts = {
        "parse_size.svg": (
            "What a byte costs in an event of any size, 16 KiB at a time",
            "data of the event",
            "ns for a byte",
            parsed,
        ),
        "encode_size.svg": (
            "What an event with id and type costs to encode",
            "its data, one line",
            "ns for an event",
            encoded,
        ),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, x_title, y_title, drawn) in charts.items():
        if drawn:
            (folder / name).write_text(plot.chart(title, x_title, y_title, drawn), encoding="utf-8")
        else:
            print(f"{name}: nothing of it was measured", file=sys.stderr)


def main():
    summary, *explanation = __doc__.split("\n\n")
    parser = argparse.ArgumentParser(
        description=summary,
        epilog="\n\n".join(explanation),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--filter", default="", help="regular expression: only these names")
    parser.add_argument("--repetitions", type=int, default=7, help="rounds, default %(default)s")
    parser.add_argument(
        "--min-time", type=float, default=0.02, help="seconds for each, default %(default)s"
    )
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/bench")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all of it there")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FOLDER", help="draw the plots there")
    parser.add_argument("--readme", type=pathlib.Path, metavar="FILE", help="put the tables there")
    parser.add_argument(
        "--from",
        type=pathlib.Path,
        metavar="FILE",
        dest="saved",
        help="measure nothing: take what an earlier --json has written",
    )
    options = parser.parse_args()
    if options.repetitions < 1:
        parser.error("--repetitions has to be at least 1")
    if options.readme and options.filter:
        parser.error("--readme replaces whole tables, so it goes without --filter")

    if options.saved:
        results = Results.from_json(json.loads(options.saved.read_text()))
    else:
        results = measure_all(options)
    made = [(table(results).measured(), title) for table, title in TABLES]
    made = [(table, title) for table, title in made if table.rows]
    print(results.made_by())
    for table, title in made:
        print(f"\n## {title}\n\n{table.as_text(aligned=True)}")
    if options.json:
        options.json.write_text(json.dumps(results.as_json(), indent=1) + "\n")
    if options.svg:
        write_plots(options.svg, results)
    if options.readme:
        parts = {table.key: table.as_text(aligned=False) for table, _ in made}
        write_into(options.readme, {"machine": results.made_by()} | parts)
    for name, message in results.errors.items():
        print(f"{name}: {message}", file=sys.stderr)
    return 1 if results.errors else 0


if __name__ == "__main__":
    sys.exit(main())
