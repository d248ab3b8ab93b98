# SPDX-License-Identifier: MIT
"""What has been seen, against what should have been."""

import json


class Failure(Exception):
    """What is wrong, and the rule that it is against where that is not the rule of the case."""

    def __init__(self, what, rule=None):
        super().__init__(what)
        self.rule = rule


def shown(text, most=160):
    text = json.dumps(text, ensure_ascii=False) if not isinstance(text, str) else text
    text = text.replace("\ufeff", "\\ufeff")  # or nobody sees it
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"


def shown_events(events):
    return shown(
        json.dumps([list(e[: 2 if e[2] is None else 3]) for e in events], ensure_ascii=False), 240
    )


def event_of(line):
    """The event that a line of output tells, or None."""
    data, kind, last = line.get("data"), line.get("type"), line.get("lastEventId")
    if not isinstance(data, str):
        return None
    return ("message" if kind is None else str(kind), data, None if last is None else str(last))


def same_events(seen, expected):
    return len(seen) == len(expected) and all(
        s[:2] == e[:2] and s[2] in (None, e[2]) for s, e in zip(seen, expected)
    )


def check_events(seen, expected):
    if not same_events(seen, expected):
        only_ids = [event[:2] for event in seen] == [event[:2] for event in expected]
        what = f"gives out {shown_events(seen)}, not {shown_events(expected)}"
        raise Failure(what, "id" if only_ids else None)


def check_retry(seen, expected):
    if expected is None or seen is None:
        good = seen is expected
    else:
        # A time that is too large for a type is the largest of it.
        want, got = int(expected), int(seen)
        good = got == want or (want > 2**31 - 1 and 2**31 - 1 <= got <= want)
    if not good:
        raise Failure(f"has {seen} for the reconnection time, not {expected}", "retry")


def check_last_event_id(which, seen, wanted):
    if seen != (None if wanted is None else wanted.encode()):
        is_sent = "not sent" if seen is None else shown(str(seen)[1:])
        should = "not be sent" if wanted is None else f"be {shown(str(wanted.encode())[1:])}"
        raise Failure(f"{which}: Last-Event-ID is {is_sent}; it should {should}", "id")


def count_of(number, what):
    return f"{number} {what}{'' if number == 1 else 's'}"
