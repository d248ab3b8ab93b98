#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether run.py sees what it is there to see, in the reader and the client of faulty.py."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
FAULTY = [sys.executable, "-I", "-S", HERE / "faulty.py"]


def run(*arguments):
    done = subprocess.run(
        [sys.executable, HERE / "run.py", "--no-progress", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return done.returncode, done.stdout, done.stderr


def run_on(what, fault, *options):
    client = ["--client"] if what == "follow" else []
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        status, out, _ = run(*client, *options, "--json", report, "--", *FAULTY, what, fault)
        with open(report, encoding="utf-8") as file:
            results = json.load(file)["results"]
    return status, out, {r["id"]: r for r in results}


class Readers(unittest.TestCase):
    def expect(self, fault, ids, passed, rule, *options):
        """These cases, and not that one, fail for this fault, by this rule."""
        with self.subTest(fault):
            cases = "|".join([*ids, passed])
            status, out, results = run_on(
                "read", fault, "--cuts", "1", "--filter", f"^({cases}) ", *options
            )
            self.assertEqual(status, 1)
            self.assertIn(f"{rule} (HTML standard, 9.2.", out)
            self.assertEqual(
                {i: r["outcome"] for i, r in results.items()},
                {**dict.fromkeys(ids, "failed"), passed: "passed"},
            )

    def test_a_right_one_passes(self):
        status, out, results = run_on(
            "read", "none", "--cuts", "1", "--filter", "^(X0|P(03|06|2[0-9]|5[0-4]))"
        )
        self.assertEqual(status, 0, out)
        self.assertEqual(len(results), 26)

    def test_each_fault_is_found_by_its_rule(self):
        self.expect("keeps the mark", ["P06", "X05"], "P01", "byte-order-mark")
        self.expect("is strict", ["P50"], "P52", "decoding")
        self.expect("doubles a cut CRLF", ["X16"], "P02", "line-ends")
        self.expect("waits after CR", ["X02"], "P02", "at-once")
        self.expect("trims lines", ["P45", "P46"], "P69", "blank-line")
        self.expect("gives out no data", ["P20"], "P10", "no-data")
        self.expect("keeps the type", ["P21"], "P22", "type")
        self.expect("trims values", ["P13", "P14"], "P15", "fields")
        self.expect("takes a NUL", ["P28", "W8"], "P26", "id-nul")
        self.expect("takes any number", ["P112"], "P111", "retry")
        self.expect("ends with half", ["P66"], "P67", "unfinished")

    def test_a_program_that_fails_fails_its_case_only(self):
        for fault, words in (
            ("is killed", "is ended by signal 11"),
            ("ends with a status", "ends with status 3"),
            ("prints without end", "prints more than"),
            ("hangs", "has not come to its end"),
        ):
            with self.subTest(fault):
                limit = "1" if fault == "hangs" else "20"
                # The stream without an event: only the program itself is to blame.
                status, _, results = run_on("read", fault, "--filter", "^P74 ", "--limit", limit)
                self.assertEqual(status, 1)
                self.assertIn(words, results["P74"]["what"])

    def test_a_budget_that_is_spent_is_told(self):
        status, out, results = run_on(
            "read", "none", "--filter", "^P0", "--jobs", "1", "--budget", "0.001"
        )
        self.assertEqual(status, 2)
        self.assertIn("not run: the budget was spent", out)
        self.assertIn("not run", {r["outcome"] for r in results.values()})

    def test_a_wrong_command_line_is_refused(self):
        for arguments in (
            [],
            ["/no/such/program"],
            ["--filter", "(", "true"],
            ["--jobs", "0", "true"],
            ["--filter", "no such", "true"],
        ):
            with self.subTest(arguments):
                self.assertEqual(run(*arguments)[0], 64)


class Clients(unittest.TestCase):
    def test_a_right_one_passes(self):
        status, out, results = run_on(
            "follow", "none", "--quick", "--filter", "^(U|P3[01] )", "--quiet", "2", "--jobs", "24"
        )
        self.assertEqual(status, 0, out)
        self.assertEqual(len(results), 58)

    def test_each_fault_is_found_by_its_rule(self):
        for fault, case, rule in (
            ("forgets the id", "U09", "last-event-id"),
            ("goes on after errors", "U31", "status"),
            ("reads anything", "U43", "media-type"),
            ("ignores retry", "U22", "reconnection-time"),
        ):
            with self.subTest(fault):
                status, out, results = run_on(
                    "follow", fault, "--filter", f"^{case} ", "--quiet", "2"
                )
                self.assertEqual((status, results[case]["outcome"]), (1, "failed"))
                self.assertIn(f"{rule} (HTML standard, 9.2.", out)


if __name__ == "__main__":
    unittest.main()
