#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many instructions the toolkit takes, counted by callgrind, against what is stored.

Time is noisy and instructions are not, so 5 % more or fewer of them is a change of the code. What
is stored in instructions.json holds for one compiler, library and kind of processor; on others
nothing is compared. A count is that of a run of two rounds less that of one, so what comes before
and after the rounds is not in it.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
STORED = HERE / "instructions.json"
PROGRAM = HERE.parent / "build/bench/bench/bench_instructions"
SLACK = 0.05

DEARER = """
{names}: dearer than what is stored. Find out which change has done it:
    valgrind --tool=callgrind --callgrind-out-file=counts {program} CASE 2
    callgrind_annotate counts
If that change is worth it, take over the new figures with `bench/instructions.py --update`, commit
them with it and say why."""
CHEAPER = """
{names}: cheaper than what is stored. Take over the new figures with
`bench/instructions.py --update` and commit them with the change, so that nothing of it is lost."""
UNKNOWN = """
{names}: counted or stored, but not both. Take over the cases with
`bench/instructions.py --update`."""


def under_valgrind(program, *arguments, tool="--tool=none"):
    # What is bound late is bound in one of the rounds.
    environment = os.environ | {"LD_BIND_NOW": "1"}
    command = ["valgrind", "-q", *tool.split(), program, *arguments]
    done = subprocess.run(command, env=environment, text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}exit status {done.returncode}")
    return done.stdout.strip()


def count(program, case):
    """Instructions for each unit of a case."""
    instructions, units = [], []
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "counts"
        for rounds in "1", "2":
            tool = f"--tool=callgrind --callgrind-out-file={report}"
            units.append(int(under_valgrind(program, case, rounds, tool=tool)))
            totals = re.search(r"^totals: (\d+)", report.read_text(), re.MULTILINE)
            instructions.append(int(totals[1]))
    return (instructions[1] - instructions[0]) / (units[1] - units[0])


def compare(stored, counted):
    """Prints a table. \\returns the names of those that are dearer, cheaper, or not in both."""
    dearer, cheaper, unknown = [], [], []
    print(f"{'':32} {'stored':>10} {'counted':>10}")
    for name in [*counted, *(name for name in stored if name not in counted)]:
        was, now = stored.get(name), counted.get(name)
        line = f"{name:32} {was or '':>10} {now or '':>10}"
        if was is None or now is None:
            unknown.append(name)
            print(f"{line}  unknown")
            continue
        change = now / was - 1
        verdict = ""
        if abs(change) > SLACK:
            verdict = "dearer" if change > 0 else "cheaper"
            (dearer if change > 0 else cheaper).append(name)
        print(f"{line} {100 * change:+7.1f} %  {verdict}".rstrip())
    return dearer, cheaper, unknown


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=PROGRAM)
    parser.add_argument("--update", action="store_true", help="store what is counted")
    parser.add_argument("--filter", default="", help="regular expression: only these cases")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("skipped: valgrind is not installed")
        return 0
    if not options.program.exists():
        parser.error(f"{options.program} is not there: build the preset `bench`, or say --program")
    if options.update and options.filter:
        parser.error("--update stores all cases, so it goes without --filter")

    stored = json.loads(STORED.read_text()) if STORED.exists() else {"made for": "", "each": {}}
    made_for = under_valgrind(options.program, "--made-for")
    if made_for != stored["made for"] and not options.update:
        print(f"skipped: the figures are for {stored['made for']}; this is {made_for}")
        return 0

    wanted = re.compile(options.filter)
    listed = subprocess.run([options.program], check=True, text=True, capture_output=True)
    cases = [name for name in listed.stdout.split() if wanted.search(name)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = pool.map(lambda case: round(count(options.program, case), 1), cases)
        counted = dict(zip(cases, counts))
    expected = {name: each for name, each in stored["each"].items() if wanted.search(name)}
    dearer, cheaper, unknown = compare(expected, counted)
    if options.update:
        text = json.dumps({"made for": made_for, "each": counted}, indent=4)
        STORED.write_text(text + "\n")
        print(f"\nstored in {STORED.relative_to(HERE.parent)}, for {made_for}")
        return 0
    for names, advice in (dearer, DEARER), (cheaper, CHEAPER), (unknown, UNKNOWN):
        if names:
            print(advice.format(names=", ".join(names), program=options.program))
    return 1 if dearer or cheaper or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
