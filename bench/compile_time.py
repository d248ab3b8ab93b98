#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What including each header costs, against the standard headers that any of them needs.

Medians of interleaved runs of -fsyntax-only, in CPU time of the compiler, as a table.
"""

import argparse
import pathlib
import resource
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
FLOOR = ["string", "optional", "span", "chrono"]


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--runs", type=int, default=5, help="of each header, default 5")
    options = parser.parse_args()

    headers = sorted(path.name for path in (ROOT / "include/ssekit").glob("*.hpp"))
    programs = {"nothing": "", "floor": "".join(f"#include <{name}>\n" for name in FLOOR)}
    programs |= {name: f"#include <ssekit/{name}>\n" for name in headers}
    times = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in programs.items():
            (pathlib.Path(folder) / f"{name}.cpp").write_text(text)
        for _ in range(options.runs):
            for name in programs:
                source = pathlib.Path(folder) / f"{name}.cpp"
                command = [options.compiler, "-std=c++20", "-fsyntax-only"]
                times[name].append(cpu_seconds([*command, f"-I{ROOT / 'include'}", source]))

    medians = {name: statistics.median(values) for name, values in times.items()}
    floor = medians.pop("floor")
    print(f"floor: {' + '.join(f'<{name}>' for name in FLOOR)}: {floor * 1000:.0f} ms")
    for name, median in sorted(medians.items(), key=lambda item: item[1]):
        print(f"{name:24} {median * 1000:5.0f} ms  {median / floor:.2f}")


if __name__ == "__main__":
    main()
