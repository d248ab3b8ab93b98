#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the core of ssekit as one header: what ssekit/ssekit.hpp includes, and nothing else.

The same sources give the same bytes. Each header stands where it is included first, so what it needs
is before it.
"""

import argparse
import pathlib
import re
import sys

INCLUDE = re.compile(r'#include <(ssekit/[^>]+)>')
GUARD = re.compile(r'#ifndef (SSEKIT_\w+_HPP)\n#define \1\n')


class Amalgamation:
    def __init__(self, include_dir):
        self.include_dir = include_dir
        self.seen = set()

    def header(self, name):
        """The text of a header and, ahead of each use, of those that it includes for the first time."""
        if name in self.seen:
            return ""
        self.seen.add(name)
        text = (self.include_dir / name).read_text(encoding="utf-8")
        text = text.removeprefix("// SPDX-License-Identifier: MIT\n")
        if not GUARD.search(text):
            sys.exit(f"{name}: no include guard of the usual form")
        lines = []
        for line in text.splitlines():
            found = INCLUDE.match(line)
            lines.append(self.header(found[1]) if found else line)
        return f"// ---- {name}\n" + "\n".join(lines) + "\n"


def version(include_dir):
    text = (include_dir / "ssekit/version.hpp").read_text(encoding="utf-8")
    return ".".join(re.findall(r"define SSEKIT_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text))


def single_header(include_dir):
    notice = (include_dir.parent / "LICENSE").read_text(encoding="utf-8")
    notice = "".join(f"// {line}".rstrip() + "\n" for line in notice.splitlines())
    body = Amalgamation(include_dir).header("ssekit/ssekit.hpp")
    body = re.sub(r"\n{3,}", "\n\n", body)
    return (
        "// SPDX-License-Identifier: MIT\n"
        f"// ssekit {version(include_dir)}, its core in one header. Made by "
        "tests/packaging/single_header.py.\n//\n" + notice + "\n" + body
    )


def write_forwarders(include_dir, into):
    """Every other way to include the core leads to the single header, for the tests."""
    amalgamation = Amalgamation(include_dir)
    amalgamation.header("ssekit/ssekit.hpp")
    for path in sorted((include_dir / "ssekit").rglob("*.hpp")):
        name = str(path.relative_to(include_dir))
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        forward = f"#include <{pathlib.PurePath('ssekit.hpp')}>\n"
        target.write_text(forward if name in amalgamation.seen else path.read_text("utf-8"))


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=pathlib.Path, help="where to write it, ssekit.hpp mostly")
    parser.add_argument("--include", type=pathlib.Path, default=root / "include", help="the headers")
    parser.add_argument(
        "--forward",
        action="store_true",
        help="beside it, write headers of all the usual names that lead to it",
    )
    options = parser.parse_args()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(single_header(options.include), encoding="utf-8")
    if options.forward:
        write_forwarders(options.include, options.output.parent)


if __name__ == "__main__":
    main()
