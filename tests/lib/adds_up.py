# SPDX-License-Identifier: BSD-2-Clause
"""The parts of a start-up are the whole: in the JSON to the nanosecond, in text as far as the
figures are printed."""
import re

UNITS = {"ms": 1e6, "s": 1e9}
TIME = r"<?\d[\d,]*(?:\.\d+)? (?:ms|s)\b"
PARTS = ("earlier_images_ns", "interpreter_ns", "imports_ns", "own_ns")


def fail(why, *args):
    raise AssertionError(why % args)


def check_startup(process):
    """One process of the JSON."""
    startup = process["startup"]
    if startup is None:
        return
    where = "start-up of process %s: %s" % (process["pid"], startup)
    if sum(startup[part] for part in PARTS) != startup["wall_ns"]:
        fail("%s: the parts are not the whole", where)
    if startup["wall_ns"] + startup["held_ns"] != startup["end_ns"] - startup["begin_ns"]:
        fail("%s: not from begin to end", where)
    if startup["site_ns"] > startup["interpreter_ns"] or \
            startup["program_ns"] > startup["own_ns"]:
        fail("%s: a part of a part is more than it", where)
    if any(startup[key] < 0 for key in (*PARTS, "site_ns", "program_ns", "held_ns")):
        fail("%s: negative", where)
    waits = startup["own_wait_ns"]
    if waits is not None and sum(waits.values()) > startup["own_ns"]:
        fail("%s: it waited for longer than it took", where)


def printed(text):
    """Nanoseconds, and how far the truth may be from them."""
    number, unit = text.lstrip("<").replace(",", "").split(" ")
    if text.startswith("<"):
        return float(number) * UNITS[unit] / 2, float(number) * UNITS[unit] / 2
    digits = len(number.partition(".")[2])
    return float(number) * UNITS[unit], 0.5001 * 10 ** -digits * UNITS[unit]


def check_headlines(text):
    """A text report: every start-up is the sum of its parts. Returns how many there were."""
    text = re.sub(r"\n +", " ", text)
    found = re.findall(r"start-up (?:at least )?(%s)(?: until ready)? = ([^\n]*?own work %s)" %
                       (TIME, TIME), text)
    for whole, parts in found:
        parts = re.sub(r"\([^)]*\)", "", parts)
        want, slack = printed(whole)
        got = [printed(part) for part in re.findall(TIME, parts)]
        slack += sum(part[1] for part in got)
        if abs(sum(part[0] for part in got) - want) > slack:
            fail("%s is not the sum of: %s", whole, parts)
    return len(found)
