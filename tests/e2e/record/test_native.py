#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Extension modules and C: dlopen, init and exec apart; RUNPATH; seccomp; sub-interpreters."""
import os
import subprocess

import lib

EXTENSION = r"""
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <time.h>
static void nap(long ms) { struct timespec t = { 0, ms * 1000000 }; nanosleep(&t, 0); }
__attribute__((constructor)) static void on_open(void) { nap(30); }
static int run(PyObject *m)
{
	nap(90);
	PyObject *o = PyImport_ImportModule("ext_child");
	if (!o)
		return -1;
	Py_DECREF(o);
	return FAIL ? (PyErr_SetString(PyExc_OSError, "by hand"), -1) : 0;
}
static PyModuleDef_Slot slots[] = { { Py_mod_exec, run }, { 0, 0 } };
static struct PyModuleDef def = { PyModuleDef_HEAD_INIT, .m_name = "other", .m_slots = slots };
PyMODINIT_FUNC INIT(void)
{
	nap(60);
	return PyModuleDef_Init(&def);
}
"""
SINGLE = r"""
#include <Python.h>
#include <time.h>
static struct PyModuleDef def = { PyModuleDef_HEAD_INIT, .m_name = "ext_single", .m_size = -1 };
PyMODINIT_FUNC PyInit_ext_single(void)
{
	struct timespec t = { 0, 60000000 };
	nanosleep(&t, 0);
	return PyModule_Create(&def);
}
"""


def build(interp, name, source, *flags):
    """Compiles an extension module for an interpreter of this machine."""
    lib.needs_command("cc")
    code = "import sysconfig; print(sysconfig.get_path('include'))"
    include = subprocess.run(interp.argv + ["-c", code], stdout=subprocess.PIPE, check=True)
    include = interp.root + include.stdout.decode().strip()
    if not os.path.exists(include + "/Python.h"):
        raise lib.Skip("%s has no headers" % interp.name)
    path = lib.write("ext/%s.c" % name, source)
    out = "%s/ext/%s.so" % (lib.workdir(), name)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-w", "-I" + include, *flags, path, "-o", out],
                   check=True)
    return out


def with_headers():
    chosen = {n: i for n, i in lib.core_interpreters().items() if not i.root}
    return chosen or {"none": None}


@lib.test(params=with_headers)
def test_extension_stages(interp):
    """A constructor, an init and an exec that sleep for known times: each in its own stage."""
    if interp is None:
        raise lib.Skip("no interpreter with headers")
    build(interp, "ext_multi", EXTENSION, "-DFAIL=0", "-DINIT=PyInit_ext_multi")
    build(interp, "ext_fails", EXTENSION, "-DFAIL=1", "-DINIT=PyInit_ext_fails")
    build(interp, "ext_single", SINGLE)
    lib.write("ext/ext_child.py", "")
    script = lib.write("ext/main.py", "import ext_multi\ntry:\n    import ext_fails\n"
                       "except OSError as e:\n    print(e)\nimport ext_single\nprint('ok')\n")
    _, doc = lib.trace_both(interp.argv + [script])
    process = doc.python()
    load = process.one("ext_multi")
    lib.check_equal((load["result"], load["kind"], load["importer"]["line"]),
                    ("loaded", "extension", 1), "ext_multi")
    lib.check((load["file"] or "").endswith("ext_multi.so"), "file %r", load["file"])
    stages = load["stages_ns"]
    for stage, ms in (("dlopen", 30), ("init", 60), ("exec", 90)):
        lib.check((stages[stage] or 0) >= ms * 1_000_000, "%s took %s ns, it slept %d ms; all: %r",
                  stage, stages[stage], ms, stages)
    lib.check(stages["dlopen"] + stages["init"] + stages["exec"] <= load["wall_ns"], "%r", stages)
    child = [i for i in process.named("ext_child")]
    lib.check_equal((len(child), child[0]["via"], process.parent(child[0])["module"]),
                    (1, "native", "ext_multi"), "ext_child")
    bad = process.one("ext_fails")
    lib.check_equal((bad["result"], bad["error"]), ("failed", "OSError"), "ext_fails")
    single = process.one("ext_single")
    lib.check_equal((single["result"], single["kind"]), ("loaded", "extension"), "ext_single")
    lib.check((single["stages_ns"]["init"] or 0) >= 60_000_000, "%r", single["stages_ns"])


CHAIN_LENGTH = 14 # with six frames of importlib each, more than are read
CHAIN = r"""
#include <Python.h>
static int run(PyObject *m)
{
	const char *name = PyModule_GetName(m);
	int n = atoi(name + strlen("ext_chain"));
	char next[32];
	PyObject *o;
	if (n < LENGTH) {
		snprintf(next, sizeof(next), "ext_chain%d", n + 1);
		o = PyImport_ImportModule(next);
	} else {
		PyObject *util = PyImport_ImportModule("importlib");
		if (!util || !PyImport_ImportModule("ext_package.sub") ||
		    !PyImport_ImportModuleLevel("ext_package", 0, 0, Py_BuildValue("(s)", "other"), 0))
			return -1;
		o = PyObject_CallMethod(util, "import_module", "s", "ext_called");
	}
	return o ? 0 : -1;
}
static PyModuleDef_Slot slots[] = { { Py_mod_exec, run }, { 0, 0 } };
static struct PyModuleDef def = { PyModuleDef_HEAD_INIT, .m_name = "chain", .m_slots = slots };
"""


@lib.test(params=with_headers)
def test_compiled_program(interp):
    """Bodies in C that import one another, as mypyc and Cython make them. There is no Python between,
    so each is asked for by the one before, which has no line. All that is known is there."""
    if interp is None:
        raise lib.Skip("no interpreter with headers")
    names = ["ext_chain%d" % n for n in range(1, CHAIN_LENGTH + 1)]
    inits = "".join("PyMODINIT_FUNC PyInit_%s(void) { return PyModuleDef_Init(&def); }\n" % n
                    for n in names)
    first = build(interp, names[0], CHAIN + inits, "-DLENGTH=%d" % CHAIN_LENGTH)
    for name in names[1:]:
        os.symlink(first, "%s/%s.so" % (os.path.dirname(first), name))
    for path in ("ext_package/__init__", "ext_package/sub", "ext_package/other", "ext_called"):
        lib.write("ext/%s.py" % path, "")
    script = lib.write("ext/main.py", "import importlib\nimport %s\n" % names[0])
    last = names[-1]
    askers = dict(zip(names[1:], names))
    askers.update({"ext_package": last, "ext_package.sub": last, "ext_package.other": last,
                   "ext_called": last})
    for options in ([], ["--profile", "loads"]):
        _, doc = lib.trace_both(interp.argv + [script], opts=options)
        process = doc.python()
        lib.check_equal(process.one(names[0])["unknown"], [], "asked by Python")
        for name, asker in askers.items():
            load = process.one(name)
            via = "import_module" if name == "ext_called" else "native"
            lib.check_equal((load["importer"], load["unknown"], load["via"]),
                            ({"module": asker, "file": None, "line": None}, ["importer.line"], via),
                            "%s %s" % (options, name))
        lib.check(doc["complete"], "%s: all that can be known is known: %s", options, doc["loss"])


@lib.test(params=lib.core_interpreters)
def test_extension_of_the_library(interp):
    """An extension module that Python brings along."""
    interp.prepare()
    code = ("import importlib.machinery as m, sys, sysconfig, os\n"
            "d = sysconfig.get_config_var('DESTSHARED') or ''\n"
            "d = d if os.path.isdir(d) else [p for p in sys.path if 'dynload' in p][0]\n"
            "names = sorted({f.split('.')[0] for f in os.listdir(d) if f.endswith('.so')})\n"
            "print([n for n in names if n in ('_json', '_lsprof', '_zoneinfo', 'mmap',"
            "'_multibytecodec', 'termios', 'resource')][0])")
    found = lib.run(interp.argv + ["-S", "-c", code])
    if found.rc:
        raise lib.Skip("%s has no extension module of its own" % interp.name)
    name = found.out.decode().strip()
    _, doc = lib.trace_both(interp.argv + ["-c", "import " + name])
    load = doc.python().one(name)
    lib.check_equal((load["kind"], load["result"]), ("extension", "loaded"), name)
    lib.check(name in (load["file"] or ""), "file %r", load["file"])


@lib.test()
def test_missing_library():
    """An extension whose own library is missing: failed, with ImportError."""
    interp = lib.system()
    build(interp, "ext_needs", SINGLE.replace("ext_single", "ext_needs"))
    subprocess.run(["cc", "-shared", "-x", "c", "/dev/null", "-o",
                    lib.workdir() + "/ext/libgone.so"], check=True)
    build(interp, "ext_needs", SINGLE.replace("ext_single", "ext_needs"), "-Wl,--no-as-needed",
          "-L" + lib.workdir() + "/ext", "-lgone")
    os.unlink(lib.workdir() + "/ext/libgone.so")
    script = lib.write("ext/main.py", "try:\n    import ext_needs\nexcept ImportError as e:\n"
                       "    print(e)\n")
    _, doc = lib.trace_both([interp.exe, script])
    load = doc.python().one("ext_needs")
    lib.check_equal((load["result"], load["error"]), ("failed", "ImportError"), "ext_needs")


OUTER = """
#include <dlfcn.h>
int outer_finds(void) { return dlopen("libsubx.so", RTLD_NOW) != 0; }
"""
RUNPATH_MODULE = r"""
#include <Python.h>
#include <dlfcn.h>
static struct PyModuleDef def = { PyModuleDef_HEAD_INIT, .m_name = "ext_runpath", .m_size = -1 };
PyMODINIT_FUNC PyInit_ext_runpath(void)
{
	PyObject *m = PyModule_Create(&def);
	PyModule_AddIntConstant(m, "found", dlopen("libsubx.so", RTLD_NOW) != 0);
	return m;
}
"""


@lib.test(params={"uprobe_multi": (), "perf": ("--perf-uprobes",)})
def test_runpath_dlopen(opts):
    """glibc takes the caller's RUNPATH from the return address: a library that dlopens its own
    neighbour must still find it, from ctypes and from a module's init."""
    interp = lib.system()
    build(interp, "ext_runpath", RUNPATH_MODULE, "-Wl,--enable-new-dtags,-rpath,$ORIGIN/sub")
    os.makedirs(lib.workdir() + "/ext/sub", exist_ok=True)
    sub = lib.write("ext/sub/subx.c", "int subx;\n")
    subprocess.run(["cc", "-shared", "-fPIC", sub, "-o", lib.workdir() + "/ext/sub/libsubx.so"],
                   check=True)
    outer = lib.write("ext/outer.c", OUTER)
    subprocess.run(["cc", "-shared", "-fPIC", outer, "-o", lib.workdir() + "/ext/libouter.so",
                    "-Wl,--enable-new-dtags,-rpath,$ORIGIN/sub"], check=True)
    script = lib.write("ext/main.py", "import ctypes, os\n"
                       "here = os.path.dirname(os.path.abspath(__file__))\n"
                       "print(ctypes.CDLL(here + '/libouter.so').outer_finds())\n"
                       "import ext_runpath\nprint(ext_runpath.found)\n")
    traced, _ = lib.trace_both([interp.exe, script], opts=opts)
    lib.check_equal(traced.out, b"1\n1\n", "found")


SECCOMP = """
import ctypes, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
# Allow everything but the system calls of return probes (335) and of fast uprobes (336): those
# end the process, as a strict container profile does.
def ins(code, jt, jf, k): return struct.pack("=HBBI", code, jt, jf, k)
prog = (ins(0x20, 0, 0, 0) + ins(0x15, 2, 0, 335) + ins(0x15, 1, 0, 336) +
        ins(0x06, 0, 0, 0x7fff0000) + ins(0x06, 0, 0, 0x80000000))
buf = ctypes.create_string_buffer(prog)
class Fprog(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
fprog = Fprog(len(prog) // 8, ctypes.addressof(buf))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(fprog), 0, 0) == 0
import json, asyncio, email.message
for n in range(1000):
    import json
print("survived", len(sys.modules) > 50)
"""


@lib.test(params={"uprobe_multi": (), "perf": ("--perf-uprobes",)})
def test_seccomp(opts):
    """A filter that kills on the system calls probes may use: never ours."""
    if os.uname().machine != "x86_64":
        raise lib.Skip("system call numbers of x86-64")
    traced, doc = lib.trace_both([lib.system().exe, lib.write("seccomp.py", SECCOMP)], opts=opts)
    lib.check_equal(traced.out, b"survived True\n", "output")
    lib.check_equal(doc.python().one("asyncio")["result"], "loaded", "asyncio")


SUB = """
import sys
sys.path.insert(0, %(home)r)
try:
    import _interpreters as subs
except ImportError:
    import _xxsubinterpreters as subs
import si_mod
code = "import sys; sys.path.insert(0, %%r); import si_mod, si_only" %% %(home)r
for _ in range(2):
    i = subs.create()
    (getattr(subs, "exec", None) or subs.run_string)(i, code)
    subs.destroy(i)
import si_after
print(si_mod.VALUE)
"""


@lib.test(params=lib.core_interpreters)
def test_sub_interpreters(interp):
    """Each sub-interpreter loads its own copies, and the main one's tree stays right."""
    interp.prepare()
    have = lib.run(interp.argv + ["-c", "try:\n import _interpreters\nexcept ImportError:\n"
                                  " import _xxsubinterpreters"])
    if have.rc:
        raise lib.Skip("%s has no interface to sub-interpreters" % interp.name)
    lib.write("si/si_mod.py", "import si_child\nVALUE = 1\n")
    for name in ("si_child", "si_only", "si_after"):
        lib.write("si/%s.py" % name, "")
    script = lib.write("si.py", SUB % {"home": lib.workdir() + "/si"})
    _, doc = lib.trace_both(interp.argv + [script])
    doc.check_complete()
    process = doc.python()
    lib.check_equal([i["result"] for i in process.named("si_mod")], ["loaded"] * 3, "si_mod")
    lib.check_equal([i["result"] for i in process.named("si_only")], ["loaded"] * 2, "si_only")
    parents = {process.parent(i)["module"] for i in process.named("si_child")}
    lib.check_equal(parents, {"si_mod"}, "parents of si_child")
    after = process.one("si_after")
    lib.check_equal(process.parent(after)["module"], "__main__", "parent of si_after")


SUB_NESTED = """
import sys
sys.path.insert(0, %(home)r)
try:
    import _interpreters as subs
except ImportError:
    import _xxsubinterpreters as subs
code = "import sys; sys.path.insert(0, %%r)\\nimport ni_outer" %% %(home)r
i = subs.create()
(getattr(subs, "exec", None) or subs.run_string)(i, code)
import ni_main
subs.destroy(i)
import ni_outer
"""


@lib.test(params=lambda: lib.all_interpreters(8))
def test_sub_interpreter_statements(interp):
    """A thread that runs a second interpreter: statements, parents and errors are that one's."""
    interp.prepare()
    if lib.run(interp.argv + ["-c", "try:\n import _interpreters\nexcept ImportError:\n"
                              " import _xxsubinterpreters"]).rc:
        raise lib.Skip("%s has no interface to sub-interpreters" % interp.name)
    lib.write("ni/ni_outer.py", "\n\nimport ni_inner\n")
    lib.write("ni/ni_inner.py", "\ntry:\n    import ni_absent\nexcept ImportError:\n    pass\n")
    lib.write("ni/ni_main.py", "\nimport ni_of_main\n")
    lib.write("ni/ni_of_main.py", "")
    script = lib.write("ni.py", SUB_NESTED % {"home": lib.workdir() + "/ni"})
    _, doc = lib.trace_both(interp.argv + [script])
    doc.check_complete()
    process = doc.python()
    seen = [(i["module"], i["importer"]["module"], i["importer"]["line"], i["error"])
            for i in process.start_loads() if i["module"].startswith("ni_")]
    nested = [("ni_inner", "ni_outer", 3, None),
              ("ni_absent", "ni_inner", 3, "ModuleNotFoundError")]
    lib.check_equal(seen, [("ni_outer", "__main__", 2, None), *nested,
                           ("ni_main", "__main__", 11, None), ("ni_of_main", "ni_main", 2, None),
                           ("ni_outer", "__main__", 13, None), *nested], "loads")


TWO = r"""
#include <Python.h>
int main(void)
{
	PyThreadState *first, *second;

	Py_Initialize();
	first = PyThreadState_Get();
	second = Py_NewInterpreter();
	PyRun_SimpleString("import ti_outer");
	PyThreadState_Swap(first);
	PyRun_SimpleString("import ti_between");
	PyThreadState_Swap(second);
	Py_EndInterpreter(second);
	PyThreadState_Swap(first);
	PyRun_SimpleString("import ti_outer");
	return Py_FinalizeEx() < 0;
}
"""


@lib.test(params=with_headers)
def test_two_interpreters_in_c(interp):
    """A C program with two interpreters on one thread: each has its loads, places and errors."""
    lib.needs_command("cc")
    code = ("import sys, sysconfig as s; print(s.get_path('include')); print(s.get_config_var('LIBDIR'));"
            "print(s.get_config_var('LDVERSION')); print(sys.base_prefix)")
    facts = subprocess.run(interp.argv + ["-c", code], stdout=subprocess.PIPE, check=True)
    include, libs, version, home = facts.stdout.decode().split()
    if not os.path.exists("%s/libpython%s.so" % (libs, version)):
        raise lib.Skip("%s has no libpython" % interp.name)
    source = lib.write("ti/two.c", TWO)
    lib.write("ti/ti_outer.py", "\n\nimport ti_inner\ntry:\n    import ti_absent\n"
              "except ImportError:\n    pass\n")
    for name in ("ti_inner", "ti_between"):
        lib.write("ti/%s.py" % name, "")
    out = lib.workdir() + "/ti/two"
    subprocess.run(["cc", "-w", source, "-I" + include, "-L" + libs, "-Wl,-rpath," + libs,
                    "-lpython" + version, "-o", out], check=True)
    _, doc = lib.trace_both([out], env={"PYTHONPATH": lib.workdir() + "/ti", "PYTHONHOME": home})
    doc.check_complete()
    loads = [i for i in doc.python().imports if (i["module"] or "").startswith("ti_")]
    outer = [("ti_outer", "__main__", 1, None), ("ti_inner", "ti_outer", 3, None),
             ("ti_absent", "ti_outer", 5, "ModuleNotFoundError")]
    seen = [(i["module"], i["importer"]["module"], i["importer"]["line"], i["error"]) for i in loads]
    lib.check_equal(seen, outer + [("ti_between", "__main__", 1, None)] + outer, "loads")
    first, second = loads[3]["interp"], loads[0]["interp"]
    lib.check(first != second, "one interpreter: %s", first)
    lib.check_equal([i["interp"] for i in loads], [second] * 3 + [first] * 4, "interpreters")


if __name__ == "__main__":
    lib.main()
