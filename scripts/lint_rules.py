#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The rules of this project that a machine can check. Each has examples in tests/lint/RULE: files
below `good` must pass it, each file below `bad` must fail it (--self-test).
Exceptions, with their reasons: scripts/lint_exceptions.txt."""
import os
import re
import subprocess
import sys

from lint_tree import TREE_RULES, title_problem

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RULES = {}

# Who may include whom: the data flow runs from left to right, and nothing reaches back.
MAY_INCLUDE = {
    "base": {"base"},
    "interpreters": {"base", "interpreters"},
    "probe": {"base", "interpreters", "probe"},
    "event": {"base", "event"},
    "model": {"base", "event", "model"},
    "report": {"base", "model", "report"},
    "trace": {"base", "interpreters", "probe", "event", "model", "report", "trace"},
    "agent": {"base", "model", "report", "trace", "agent"},
    "cli": {"base", "interpreters", "probe", "event", "model", "report", "trace", "agent", "cli"},
}
BPF_ROOMS = ("core", "python", "imports", "causes")
PURE = ("event", "model", "report")


class Source:
    """A file: its lines, and the same lines with comments (and strings) blanked."""

    def __init__(self, root, path):
        self.root, self.path = root, path
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            self.text = file.read()
        self.lines = self.text.splitlines()
        self.is_c = path.endswith((".c", ".h"))
        self.code = self.bare = self.lines
        if self.is_c:
            self.code = blank(self.text, False).splitlines()
            self.bare = blank(self.text, True).splitlines()

    def part(self):
        """Folder of user/ it belongs to, or None."""
        match = re.match(r"user/(\w+)/", self.path)
        return match.group(1) if match else None


def blank(text, want_strings):
    """Comments replaced by blanks, line for line; strings too, if wanted."""
    def replace(match):
        piece = match.group(0)
        if piece.startswith("/"):
            return re.sub(r"[^\n]", " ", piece)
        return piece[0] + " " * (len(piece) - 2) + piece[-1] if want_strings else piece
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, replace, text, flags=re.S)


def rule(function):
    """Registers a function that yields (line number, message) for one Source."""
    RULES[function.__name__.replace("_", "-")] = function
    return function


def grep(lines, pattern, message):
    for number, line in enumerate(lines, 1):
        if re.search(pattern, line):
            yield number, message


@rule
def layering(source):
    """Includes follow the data flow; libbpf and the skeleton stay behind user/probe."""
    part = source.part()
    for number, line in enumerate(source.code, 1):
        match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        name = match.group(2)
        if source.path.startswith("include/"):
            if not name.startswith("pyimport_") and name not in ("linux/types.h", "vmlinux.h"):
                yield number, "include/ includes nothing but itself and the types of the kernel"
        elif source.path.startswith("bpf/"):
            ok = name == "vmlinux.h" or name.startswith(("bpf/", "pyimport_")) or \
                match.group(1) == '"' and name.split("/")[0] in BPF_ROOMS
            if not ok:
                yield number, "bpf/ includes only vmlinux/, include/ and libbpf's BPF headers"
        elif part:
            yield from layering_user(source, part, number, name)


def layering_user(source, part, number, name):
    if re.match(r"(bpf/|linux/bpf|linux/perf)|.*\.skel\.h$", name) and part != "probe":
        yield number, "%s is for user/probe alone" % name
    first = name.split("/")[0]
    if "/" in name and first in MAY_INCLUDE and first not in MAY_INCLUDE[part]:
        yield number, "user/%s must not reach for user/%s" % (part, first)
    if part in PURE and name in ("time.h", "sys/time.h", "dirent.h", "sys/ptrace.h",
                                 "sys/stat.h", "fcntl.h"):
        yield number, "user/%s is pure: no clock, no file system (%s)" % (part, name)


@rule
def pure(source):
    """event, model and report read neither /proc nor a clock."""
    if source.part() in PURE:
        yield from grep(source.code, r'"/(proc|sys)\b|\bclock_gettime\b|\bgettimeofday\b|\btime\(NULL',
                        "event, model and report know no /proc and no clock")


@rule
def report_changes_nothing(source):
    if source.part() == "report":
        yield from grep(source.bare, r"\bmodel__(new|apply|set_\w+|finish|free)\s*\(",
                        "a report must not change the model")


@rule
def brace_spacing(source):
    """One style of initialisers: `{ 1, 2 }`, not `{1, 2}`."""
    if source.is_c:
        yield from grep(source.bare, r"\{(?=[^\s}\\])|(?<=[^\s{])\}", "a blank inside braces")


@rule
def no_return_probes(source):
    if source.is_c:
        yield from grep(source.code, r'"u?retprobe|SEC\("[^"]*(uretprobe|kretprobe|uprobe\.session)|'
                        r'\bretprobe\s*=\s*(true|1)|BPF_URETPROBE|uprobe_multi\.flags|\bsession\s*=\s*true',
                        "no return probes, ever: they can kill the target")


@rule
def no_positive_errno(source):
    if source.part():
        yield from grep(source.bare, r"\breturn\s+\(?E[A-Z]{2,}[A-Z0-9]*\)?\s*;",
                        "functions return 0 or a negative errno")


@rule
def owned_from_the_start(source):
    if source.part():
        yield from grep(source.bare, r"_cleanup_\w*(\([^)]*\))?\s+[^=;()]*;",
                        "an owning local is initialised where it is declared")


@rule
def banned_functions(source):
    if source.is_c:
        yield from grep(source.bare, r"(?<![\w.>])(sprintf|vsprintf|strcpy|strcat|atoi|atol|gets|"
                        r"strtok|system|popen|alloca|assert_perror)\s*\(", "banned function")


@rule
def no_version_conditions(source):
    if source.is_c:
        yield from grep(source.bare, r"#\s*(el)?if.*(LINUX_VERSION|KERNEL_VERSION)",
                        "facts, not versions")


@rule
def shared_types(source):
    if source.path.startswith("include/"):
        yield from grep(source.bare, r"(?<![\w])(u8|u16|u32|u64|s8|s16|s32|s64|bool|size_t|long|"
                        r"uint\w+_t|int\w+_t)(?!\w)", "fixed-width __u types in include/")


@rule
def bpf_names(source):
    """The kernel keeps 15 characters."""
    if not source.path.startswith("bpf/"):
        return
    is_program = False
    for number, line in enumerate(source.code, 1):
        name = re.match(r"\}\s*(\w+)\s+SEC\(\"\.maps\"\)", line)
        if is_program and not name:
            name = re.search(r"\bBPF_\w+\((\w+)|\bint\s+(?!BPF_)(\w+)\s*\(", line)
        word = name and (name.group(1) or name.group(2))
        if word and len(word) > 15:
            yield number, "%s has more than 15 characters" % word
        if name or line.strip():
            is_program = bool(re.match(r'SEC\("(?!\.maps|license)', line))


@rule
def maps_in_core(source):
    if source.path.startswith("bpf/") and source.path != "bpf/core/core.bpf.c":
        yield from grep(source.code, r'^(?!extern).*SEC\("\.maps"\)', "maps are defined in core.bpf.c alone")


@rule
def spdx(source):
    if source.is_c or source.path.endswith((".py", ".sh", "Makefile")) or \
            source.text.startswith("#!"):
        if not any("SPDX-License-Identifier:" in line for line in source.lines[:3]):
            yield 1, "no SPDX line"


@rule
def file_length(source):
    is_ours = source.is_c and source.path.startswith(("user/", "bpf/", "include/")) or \
        source.path.endswith(".py") and source.path.startswith(("tests/e2e/", "tests/lib/"))
    if is_ours and len(source.lines) > 400:
        yield 1, "%d lines, the target is 400" % len(source.lines)


@rule
def function_length(source):
    if not source.is_c or source.path.startswith(("vmlinux/", "include/")):
        return
    start = None
    for number, line in enumerate(source.bare, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start - 1 > 100:
                yield start, "a function of %d lines, the ceiling is 100" % (number - start - 1)
            start = None


@rule
def line_width(source):
    if not source.is_c or source.path.startswith("vmlinux/"):
        return
    for number, line in enumerate(source.lines, 1):
        # String literals are never split.
        if len(line.expandtabs(8)) > 100 and '"' not in line:
            yield number, "wider than 100 columns"


@rule
def no_bytecode(source):
    if source.path.endswith(".pyc"):
        yield 1, "what Python compiled is not to be tracked"


@rule
def target_files(source):
    """What a target names goes through target_file.c: to open a device or a FIFO is to act."""
    if re.match(r"user/interpreters/(code|discover|elf|process|python)/|user/trace/(facts|follow)/",
                source.path) and not source.path.endswith("/target_file.c"):
        yield from grep(source.code, r"(?<![\w.>])(f?open|openat|opendir|fts_open)\s*\((?!\s*\"/(proc|sys)\b)(?!.*O_DIRECTORY)"
                        r"(?!proc_fd,)(?!int )", "a target's path is opened by target_open alone")


@rule
def no_local_paths(source):
    """Nothing of one machine's set-up."""
    if not source.path.startswith(("tests/lint/", "scripts/lint_rules.py")):
        yield from grep(source.lines, r"(?<![\w./~}])/(root|home/\w+)/\.?\w|(?<![\w./])/work/",
                        "a path of somebody's machine")


def exceptions():
    """{(rule, path): reason}"""
    found = {}
    with open(os.path.join(ROOT, "scripts", "lint_exceptions.txt"), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                name, path, reason = line.split(None, 2)
                found[name, path] = reason
    return found


def tracked():
    out = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"],
                         stdout=subprocess.PIPE, check=False).stdout.decode()
    if not out:  # not a git checkout: an unpacked archive
        return [os.path.relpath(os.path.join(d, f), ROOT) for d, _, files in os.walk(ROOT)
                for f in files if ".output" not in d]
    return [line for line in out.splitlines() if os.path.isfile(os.path.join(ROOT, line))]


def problems_of(sources):
    """(rule, path, line, message) of all rules."""
    for source in sources.values():
        for name, function in RULES.items():
            for number, message in function(source):
                yield name, source.path, number, message
    for name, function in TREE_RULES.items():
        for path, number, message in function(sources):
            yield name, path, number, message


def check_tree():
    excused, used, problems = exceptions(), set(), 0
    sources = {path: Source(ROOT, path) for path in tracked()
               if not path.startswith("tests/lint/") and re.search(
                   r"\.(c|h|py|pyc|sh|md|txt|yml)$|Makefile$|^tests/run$|^\.ci/run$", path)}
    for name, path, number, message in problems_of(sources):
        if (name, path) in excused:
            used.add((name, path))
            continue
        print("%s:%d: %s [%s]" % (path, number, message, name))
        problems += 1
    for name, path in sorted(set(excused) - used):
        print("scripts/lint_exceptions.txt: no longer needed: %s %s" % (name, path))
        problems += 1
    title = subprocess.run(["git", "-C", ROOT, "log", "-1", "--no-merges", "--format=%s"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           check=False).stdout.decode().strip()
    if title and title_problem(title):
        print(title_problem(title) + " [commit-title]")
        problems += 1
    return problems


def files_below(top):
    return [os.path.relpath(os.path.join(directory, file), top)
            for directory, _, files in os.walk(top) for file in files]


def examples(name, kind):
    """(what it is called, [problems]) of each example of a rule."""
    top = os.path.join(ROOT, "tests", "lint", name, kind)
    if name in RULES:
        for path in files_below(top):
            yield path, list(RULES[name](Source(top, path)))
    else:
        for case in sorted(os.listdir(top)) if os.path.isdir(top) else []:
            root = os.path.join(top, case)
            yield case, list(TREE_RULES[name]({path: Source(root, path)
                                               for path in files_below(root)}))


def self_test():
    """Every rule passes its good examples and fails each of its bad ones."""
    problems = 0
    for name in list(RULES) + list(TREE_RULES):
        for kind in ("good", "bad"):
            seen = 0
            for what, found in examples(name, kind):
                seen += 1
                if bool(found) != (kind == "bad"):
                    print("tests/lint/%s/%s/%s: the rule says %s" % (name, kind, what, found))
                    problems += 1
            if not seen:
                print("tests/lint/%s: no %s example" % (name, kind))
                problems += 1
    for title, is_good in (("x", False), ("lint: circles", False), ("fixed it", False),
                           ("lint: no circles", True), ("bpf, model: " + 70 * "a", False)):
        if (title_problem(title) is None) != is_good:
            print("commit-title: %r" % title)
            problems += 1
    return problems


if __name__ == "__main__":
    sys.exit(1 if (self_test() if "--self-test" in sys.argv else check_tree()) else 0)
