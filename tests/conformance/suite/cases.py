# SPDX-License-Identifier: MIT
"""The cases of the JSON files, and the rule of each."""

import base64
import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[1]


def bytes_of(piece):
    """The bytes of a string, of {"b64": ...} or of {"repeat": [text, times]}."""
    if isinstance(piece, str):
        return piece.encode()
    if "b64" in piece:
        return base64.b64decode(piece["b64"])
    text, times = piece["repeat"]
    return text.encode() * times


def text_of(value):
    return bytes_of(value).decode("utf-8", "replace")


def expected_events(listed):
    return [(e["type"], text_of(e["data"]), text_of(e["id"])) for e in listed]


class Stream:
    """A stream with all that is in it: of parser-cases.json and large-cases.json."""

    def __init__(self, case):
        self.id, self.title = case["id"], case["title"]
        if "exp" in case:
            self.bytes = base64.b64decode(case["b64"])
            expected = case["exp"]
            self.events = expected_events(expected["events"])
            self.last, self.retry = expected["last"], expected["retry"]
        else:
            self.bytes = b"".join(bytes_of(piece) for piece in case["body"])
            self.events = expected_events(case["events"])
            self.last, self.retry = "", None
        self.large = len(self.bytes) > 4096


class Chunks:
    """Chunks and what each of them delivers: of chunk-cases.json."""

    def __init__(self, case):
        self.id, self.title = case["id"], case["title"]
        self.chunks = [
            (base64.b64decode(part["b64"]), expected_events(part.get("events", [])))
            for part in case["chunks"]
        ]


class Script:
    """What a server answers and what a client does then: of url-cases.json."""

    def __init__(self, case):
        self.id, self.title = case["id"], case["title"]
        self.answers = case["answers"]
        self.events = expected_events(case["events"])
        self.requests = case["requests"]
        self.stops = case.get("stops", False)


def load(name, kind):
    with open(FOLDER / name, encoding="utf-8") as file:
        return [kind(case) for case in json.load(file)]


def load_rules():
    """The rule of each case, by its id."""
    of_case = {}
    with open(FOLDER / "rules.json", encoding="utf-8") as file:
        rules = json.load(file)
    for rule in rules:
        for case in rule["cases"]:
            if case in of_case:
                raise SystemExit(f"rules.json has {case} twice")
            of_case[case] = rule
    return rules, of_case
