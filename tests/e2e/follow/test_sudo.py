#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Under a real sudo: whose the command is and which environment it gets, with whatever stands
between sudo and the tool. The suite itself may have been started through another sudo."""
import json
import os
import subprocess

import lib

USER = "nobody"
UID = 65534
SHOW = "import json, os\nprint(json.dumps([os.getresuid(), os.getgroups(), dict(os.environ)]))\n"
MINE = {"MINE": "1", "KEPT": "before", "LANG": "C.UTF-8", "HOME": "/nonexistent", "USER": USER,
        "LOGNAME": USER, "SHELL": "/bin/sh", "PATH": "/opt/mine/bin:/usr/bin:/bin"}


def allow(*defaults):
    """Lets nobody use sudo, in this mount namespace."""
    lib.needs_command("sudo", "setpriv")
    lib.private_mounts()
    rules = "".join("Defaults %s\n" % d for d in defaults) + \
        'Defaults secure_path="/usr/sbin:/usr/bin:/sbin:/bin"\n%s ALL=(ALL:ALL) NOPASSWD: ALL\n' % USER
    path = lib.write("sudoers", rules)
    os.chmod(path, 0o440)
    subprocess.run(["mount", "--bind", path, "/etc/sudoers"], check=True)


def who(*words, env=None):
    """What the command is, when nobody types `sudo WORDS… TOOL -- python show.py`; a word TOOL
    stands for the tool with its command."""
    script = lib.write("show.py", SHOW)
    tool = [lib.TOOL, "--format", "json", "--report", "/dev/null", "--", lib.system().exe, script]
    argv = []
    for word in words:
        argv += tool if word == "TOOL" else [word.replace("TOOL", " ".join(tool))]
    done = subprocess.run(["setpriv", "--reuid", USER, "--regid", "nogroup", "--clear-groups",
                           "sudo", *argv], env=env or MINE, capture_output=True, cwd="/",
                          timeout=lib.PATIENCE_S)
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr)
    return json.loads(done.stdout.decode().splitlines()[-1])


def check_identity(ids, groups, env):
    lib.check_equal(ids, [UID] * 3, "ids")
    lib.check(0 not in groups, "still in root's group: %s", groups)
    lib.check_equal((env["USER"], env["LOGNAME"]), (USER, USER), "USER and LOGNAME")


@lib.test(params={"plain": (), "use_pty": ("use_pty",)})
def test_direct(defaults):
    """`sudo pyimport-bpf -- …`: the environment is that of before sudo, entry for entry."""
    allow(*defaults)
    ids, groups, env = who("TOOL")
    check_identity(ids, groups, env)
    for name in ("_", "SHLVL", "PWD", "LC_CTYPE"):
        env.pop(name, None)
    lib.check_equal(env, MINE, "environment")


@lib.test()
def test_through_a_wrapper():
    """A program that changes nothing stands between: no difference."""
    allow()
    ids, groups, env = who("timeout", "90", "TOOL")
    check_identity(ids, groups, env)
    lib.check_equal((env["MINE"], env["PATH"]), ("1", MINE["PATH"]), "environment")


@lib.test()
def test_given_on_the_line():
    allow("setenv")
    ids, groups, env = who("KEPT=given", "NEW=too", "TOOL")
    check_identity(ids, groups, env)
    lib.check_equal((env["KEPT"], env["NEW"], env["MINE"]), ("given", "too", "1"), "environment")


def check_changed(words, expected):
    allow("env_keep += LANG")
    ids, groups, env = who(*words)
    check_identity(ids, groups, env)
    lib.check_equal([env.get(k) for k in ("KEPT", "NEW", "PATH", "LANG", "MINE")], expected,
                    "environment")


@lib.test()
def test_changed_by_a_shell():
    """What a shell set or unset after sudo is in force: it was meant for the command."""
    check_changed(("sh", "-c", "export KEPT=after NEW=2; PATH=/usr/bin:/bin; unset LANG; TOOL; "
                   "exit $?"), ["after", "2", "/usr/bin:/bin", None, "1"])


@lib.test(params={"env": ("env", "KEPT=after", "NEW=2", "TOOL"),
                  "exec": ("sh", "-c", "KEPT=after; NEW=2; export NEW KEPT; exec TOOL")})
def test_changed_and_executed(words):
    """The same by what then became the tool: how sudo left the environment is not to be seen any
    more, but nobody but it can have set these."""
    check_changed(words, ["after", "2", MINE["PATH"], "C.UTF-8", "1"])


@lib.test()
def test_not_that_sudo():
    """The variables name another user than the sudo above us did: that sudo's environment is not
    this user's, ours with the personal entries put right is."""
    allow()
    ids, _, env = who("sh", "-c", "SUDO_UID=1 SUDO_GID=1 SUDO_USER=daemon OURS=1 TOOL; exit $?",
                      env=dict(MINE, SECRET="of nobody"))
    lib.check_equal(ids, [1] * 3, "ids")
    lib.check_equal([env.get(k) for k in ("USER", "LOGNAME", "OURS", "SECRET")],
                    ["daemon", "daemon", "1", None], "environment")


@lib.test()
def test_report_is_theirs():
    allow()
    directory = lib.workdir() + "/theirs"
    os.mkdir(directory)
    os.chown(directory, UID, UID)
    report = directory + "/report.json"
    subprocess.run(["setpriv", "--reuid", USER, "--regid", "nogroup", "--clear-groups", "sudo",
                    lib.TOOL, "--format", "json", "--report", report, "--", lib.system().exe, "-c",
                    "import json"], env=MINE, cwd="/", check=True, capture_output=True)
    lib.check_equal(os.stat(report).st_uid, UID, "owner of the report")
    with open(report) as file:
        lib.check_invariants(json.load(file))


@lib.test()
def test_report_of_not_that_sudo():
    """The variables name another user than the sudo above us did: root keeps the report."""
    allow()
    report = lib.workdir() + "/report.json"
    subprocess.run(["setpriv", "--reuid", USER, "--regid", "nogroup", "--clear-groups", "sudo",
                    "sh", "-c", 'SUDO_UID=1 SUDO_GID=1 "$0" "$@"; exit $?', lib.TOOL, "--format",
                    "json", "--report", report, "--", lib.system().exe, "-c", "import json"],
                   env=MINE, cwd="/", check=True, capture_output=True)
    lib.check_equal(os.stat(report).st_uid, 0, "owner of the report")


if __name__ == "__main__":
    lib.main()
