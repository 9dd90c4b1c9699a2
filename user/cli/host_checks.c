// SPDX-License-Identifier: BSD-2-Clause
/* Facts about this kernel and our rights on it. All by asking, never by version. */
#include "cli/host_checks.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "probe/probes.h"
#include "interpreters/hold/hold.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"
#define LOCKDOWN_PATH "/sys/kernel/security/lockdown"
#define PID_NS_PATH "/proc/self/ns/pid"
#define PID_NS_FIRST 0xeffffffcu /* inode of the namespace that the kernel starts with */
#define AS_ROOT "run it as root (sudo pyimport-bpf ...), or give it CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_SYS_ADMIN"

struct list {
	struct check *checks;
	size_t cnt;
};

static void add(struct list *list, const char *name, enum check_result result,
		const char *remedy, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void add(struct list *list, const char *name, enum check_result result,
		const char *remedy, const char *fmt, ...)
{
	struct check *check;
	va_list args;

	if (list->cnt == CHECKS_MAX)
		return;
	check = &list->checks[list->cnt++];
	*check = (struct check){ .name = name, .result = result, .remedy = remedy };
	va_start(args, fmt);
	vsnprintf(check->detail, sizeof(check->detail), fmt, args);
	va_end(args);
}

static bool has_cap(unsigned int cap)
{
	return capng_have_capability(CAPNG_EFFECTIVE, cap);
}

static void check_bpf_rights(struct list *list)
{
	bool has_bpf = has_cap(CAP_BPF) || has_cap(CAP_SYS_ADMIN);
	bool has_perfmon = has_cap(CAP_PERFMON) || has_cap(CAP_SYS_ADMIN);

	if (has_bpf && has_perfmon)
		add(list, "privilege", CHECK_FINE, NULL, "CAP_BPF and CAP_PERFMON: may load and attach probes");
	else
		add(list, "privilege", CHECK_FATAL, AS_ROOT, "not enough privilege: %s%s%s missing (uid %d)",
		    has_bpf ? "" : "CAP_BPF (load programs)", has_bpf || has_perfmon ? "" : " and ",
		    has_perfmon ? "" : "CAP_PERFMON (attach them)", geteuid());
}

static void check_proc_rights(struct list *list)
{
	if (has_cap(CAP_SYS_PTRACE))
		add(list, "other processes", CHECK_FINE, NULL, "CAP_SYS_PTRACE: may look at everybody's processes");
	else
		add(list, "other processes", CHECK_LIMITED, AS_ROOT,
		    "CAP_SYS_PTRACE missing: processes of other users cannot be inspected");
	if (!has_cap(CAP_DAC_READ_SEARCH) && !has_cap(CAP_DAC_OVERRIDE))
		add(list, "other files", CHECK_LIMITED, AS_ROOT,
		    "CAP_DAC_READ_SEARCH missing: interpreters without read permission cannot be probed");
}

/* The kernel speaks of processes by their first number; in another namespace we would find none. */
static void check_pids(struct list *list)
{
	struct stat st;

	if (stat(PID_NS_PATH, &st))
		add(list, "process ids", CHECK_FATAL, "mount -t proc proc /proc", "%s: %s; processes cannot be inspected",
		    PID_NS_PATH, strerror(errno));
	else if (st.st_ino != PID_NS_FIRST)
		add(list, "process ids", CHECK_FATAL, "run it on the host, or in a container with the host's: --pid=host (docker, podman), hostPID: true (Kubernetes)",
		    "this is a separate PID namespace: process ids differ from those that the kernel reports");
	else
		add(list, "process ids", CHECK_FINE, NULL, "those of the host");
}

static void check_hold(struct list *list)
{
	int err = hold_check();

	if (!err)
		add(list, "holding execs", CHECK_FINE, NULL, "fanotify: an interpreter not known beforehand is probed before it runs");
	else if (err == -EPERM)
		add(list, "holding execs", CHECK_LIMITED, AS_ROOT,
		    "CAP_SYS_ADMIN missing: first imports of interpreters not known beforehand may be missed");
	else
		add(list, "holding execs", CHECK_LIMITED, "a kernel with CONFIG_FANOTIFY_ACCESS_PERMISSIONS",
		    "fanotify permission events: %s; first imports of interpreters not known beforehand may be missed",
		    strerror(-err));
}

static void check_btf(struct list *list)
{
	if (!access(BTF_PATH, R_OK))
		add(list, "kernel BTF", CHECK_FINE, NULL, "%s", BTF_PATH);
	else
		add(list, "kernel BTF", CHECK_FATAL, "a kernel built with CONFIG_DEBUG_INFO_BTF=y (Debian 11+, Ubuntu 20.10+, Fedora 31+); in a container, mount /sys",
		    "%s: %s; the BPF programs cannot be adapted to this kernel", BTF_PATH, strerror(errno));
}

/* The file says e.g. `none [integrity] confidentiality`; only the last forbids reading memory. */
static void check_lockdown(struct list *list)
{
	_cleanup_close_ int fd = open(LOCKDOWN_PATH, O_RDONLY | O_CLOEXEC);
	char text[128] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		add(list, "lockdown", CHECK_FINE, NULL, "not in force");
	else if (strstr(text, "[confidentiality]"))
		add(list, "lockdown", CHECK_FATAL, "booting without lockdown=confidentiality (integrity is fine)",
		    "kernel lockdown is at confidentiality: BPF may not read memory");
	else
		add(list, "lockdown", CHECK_FINE, NULL, "%s allows tracing",
		    strstr(text, "[integrity]") ? "integrity" : "none");
}

size_t checks_quick(struct check out[CHECKS_MAX])
{
	struct list list = { .checks = out };

	capng_get_caps_process();
	check_bpf_rights(&list);
	check_proc_rights(&list);
	check_pids(&list);
	check_hold(&list);
	check_btf(&list);
	check_lockdown(&list);
	return list.cnt;
}

static const char *why_no_bpf(int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		return AS_ROOT;
	case ENOSYS:
		return "a kernel with CONFIG_BPF_SYSCALL=y";
	default:
		return "pyimport-bpf -vvv doctor shows the kernel's messages";
	}
}

static void check_layer(struct list *list, const char *name, bool is_there,
			enum check_result otherwise, const char *fine, const char *missing,
			const char *remedy)
{
	add(list, name, is_there ? CHECK_FINE : otherwise, is_there ? NULL : remedy, "%s",
	    is_there ? fine : missing);
}

size_t checks_full(struct check out[CHECKS_MAX])
{
	struct list list = { .checks = out, .cnt = checks_quick(out) };
	struct probes_facts facts = {};

	if (out[0].result == CHECK_FATAL)
		return list.cnt; /* without the right, trying tells nothing about the kernel */
	probes_facts(&facts);
	if (!facts.has_bpf) {
		add(&list, "BPF programs", CHECK_FATAL, why_no_bpf(facts.bpf_errno),
		    "cannot be loaded: %s%s%s",
		    facts.bpf_errno ? strerror(facts.bpf_errno) : "unknown reason",
		    facts.detail[0] ? ": " : "", facts.detail);
		return list.cnt;
	}
	add(&list, "BPF programs", CHECK_FINE, NULL, "can be loaded");
	check_layer(&list, "task storage", facts.has_task_storage, CHECK_FATAL, "there",
		    "missing: a thread's imports have no place to be kept", "Linux 5.15 or newer");
	check_layer(&list, "process events", facts.has_tp_btf, CHECK_FATAL, "there",
		    "BTF tracepoints are missing: children cannot be followed",
		    "Linux 5.15 or newer with BTF");
	if (facts.has_uprobe_multi || has_cap(CAP_SYS_ADMIN))
		check_layer(&list, "uprobe_multi", facts.has_uprobe_multi, CHECK_LIMITED, "there",
			    "missing: perf-event uprobes are used, detaching takes 0.1 s each",
			    "Linux 6.6 or newer");
	else
		add(&list, "uprobe_multi", CHECK_FATAL, "Linux 6.6 or newer, or CAP_SYS_ADMIN (sudo)",
		    "missing: probes are perf events here, which need CAP_SYS_ADMIN");
	return list.cnt;
}

bool checks_log_fatal(const struct check *checks, size_t cnt)
{
	bool is_fatal = false;

	for (size_t i = 0; i < cnt; i++) {
		if (checks[i].result != CHECK_FATAL)
			continue;
		is_fatal = true;
		log_err(0, "cannot trace: %s: %s", checks[i].name, checks[i].detail);
		if (checks[i].remedy)
			log_hint("%s", checks[i].remedy);
	}
	return is_fatal;
}
