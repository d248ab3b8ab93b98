# SPDX-License-Identifier: MIT
"""Line charts over two logarithmic axes, as SVG that is readable in light and dark."""

import math
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 168, 56, 52

# Who is what shows in the colour, and once more in the dashes: floors are grey and thin.
STYLE = """
    .paper { fill: #ffffff }
    text { font: 12px system-ui, sans-serif; fill: #57606a }
    .title { font-size: 15px; font-weight: 600; fill: #1f2328 }
    .grid { stroke: #d8dee4 }
    .line { fill: none; stroke-width: 2.25; stroke-linejoin: round }
    .floor .line { stroke-width: 1.5; stroke-dasharray: 5 3 }
    .floor-2 .line { stroke-dasharray: 1.5 3 }
    .line { stroke: var(--colour) }
    .dot, .label { fill: var(--colour) }
    .floor { --colour: #6e7781 }
    .first { --colour: #0550ae }
    .second { --colour: #1a7f37 }
    .third { --colour: #8250df }
    .other { --colour: #bc4c00 }
    .other-2 { --colour: #9a6700 }
    @media (prefers-color-scheme: dark) {
        .paper { fill: #0d1117 }
        text { fill: #9198a1 }
        .title { fill: #f0f6fc }
        .grid { stroke: #30363d }
        .floor { --colour: #9198a1 }
        .first { --colour: #58a6ff }
        .second { --colour: #3fb950 }
        .third { --colour: #bc8cff }
        .other { --colour: #f0883e }
        .other-2 { --colour: #d29922 }
    }
"""


class Line(NamedTuple):
    label: str
    style: str  # classes of STYLE
    points: list  # of (x, y), both positive


def bytes_as_text(size):
    for unit, name in (1 << 20, "MiB"), (1 << 10, "KiB"):
        if size >= unit:
            return f"{size // unit} {name}"
    return f"{size} B"


def ticks(low, high):
    """1, 2 and 5 times the powers of ten, from the last under `low` to the first over `high`."""
    steps = [m * 10.0**e for e in range(-6, 12) for m in (1, 2, 5)]
    first = max(i for i, step in enumerate(steps) if step <= low * 1.0001)
    last = min(i for i, step in enumerate(steps) if step >= high * 0.9999)
    return steps[first : last + 1]


def spread(wanted, gap):
    """The same heights in the same order, moved as little as keeps them `gap` apart."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    groups = []  # of [sum of what each would like for the group's first, members]
    for i in order:
        groups.append([wanted[i], [i]])
        while len(groups) > 1:
            (a, before), (b, after) = groups[-2:]
            if a / len(before) + gap * len(before) <= b / len(after):
                break
            groups[-2:] = [[a + b - gap * len(before) * len(after), before + after]]
    heights = [0.0] * len(wanted)
    for total, members in groups:
        for place, i in enumerate(members):
            heights[i] = total / len(members) + gap * place
    return heights


def chart(title, x_title, y_title, lines):
    """`x_title` is of sizes in bytes. \\returns the text of the SVG."""
    xs = sorted({x for line in lines for x, _ in line.points})
    ys = ticks(
        min(y for line in lines for _, y in line.points),
        max(y for line in lines for _, y in line.points),
    )

    def scale(value, low, high, begin, end):
        share = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
        return begin + share * (end - begin)

    def x_of(value):
        return scale(value, xs[0], xs[-1], LEFT, WIDTH - RIGHT)

    def y_of(value):
        return scale(value, ys[0], ys[-1], HEIGHT - BOTTOM, TOP)

    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="24">{escape(title)}</text>',
        f'<text x="{LEFT}" y="42">{escape(y_title)}</text>',
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">'
        f"{escape(x_title)}</text>",
    ]
    for y in ys:
        at = y_of(y)
        out.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{right}"/>')
        out.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{y:,.12g}</text>')
    for x in xs:
        at = x_of(x)
        out.append(f'<path class="grid" d="M{at:.1f} {bottom}v5"/>')
        out.append(
            f'<text x="{at:.1f}" y="{bottom + 20}" text-anchor="middle">{bytes_as_text(x)}</text>'
        )
    heights = spread([y_of(line.points[-1][1]) for line in lines], 16)
    for line, height in zip(lines, heights):
        places = [(x_of(x), y_of(y)) for x, y in line.points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        out.append(f'<g class="{line.style}"><path class="line" d="M{path}"/>')
        if "floor" not in line.style:
            out += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places]
        out.append(
            f'<text class="label" x="{places[-1][0] + 10:.1f}" y="{height + 4:.1f}">'
            f"{escape(line.label)}</text></g>"
        )
    return "\n".join([*out, "</svg>"]) + "\n"
