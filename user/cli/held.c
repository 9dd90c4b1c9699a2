// SPDX-License-Identifier: BSD-2-Clause
/*
 * What happens to a program while it is held: found out what it is, probed if it is to be traced.
 * Runs on hold's thread beside the one that reads events.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/opts.h"
#include "cli/scope.h"
#include "cli/session.h"
#include "probe/probes.h"
#include "target/discover.h"
#include "target/proc.h"

/*
 * The name of the file behind @fd below @root: in a container an exec is reported with the path
 * of its layer or mount, of which some tail is the path the process itself would use. ld.so's
 * $ORIGIN depends on that one.
 */
static const char *path_below(const char *root, const char *path, int fd)
{
	char full[PATH_MAX];
	struct stat want, st;

	if (!*root || fstat(fd, &want))
		return path;
	for (const char *tail = path; tail; tail = strchr(tail + 1, '/')) {
		if (snprintf(full, sizeof(full), "%s%s", root, tail) < (int)sizeof(full) &&
		    !lstat(full, &st) && S_ISREG(st.st_mode) && st.st_size == want.st_size &&
		    st.st_mtim.tv_sec == want.st_mtim.tv_sec &&
		    st.st_mtim.tv_nsec == want.st_mtim.tv_nsec)
			return tail;
	}
	return path;
}

/* Others' programs are none of our business: they are let go as they are, and not probed. */
static bool wants(const struct session *session, pid_t tgid)
{
	if (session->scope && scope__covers(session->scope, tgid))
		return true;
	return session->opts->want_all || probes__is_followed(session->probes, tgid);
}

/* On the hold thread. */
static bool look_at_exec(void *ctx, int fd, const char *path, pid_t tgid)
{
	struct session *session = ctx;
	_cleanup_close_ int proc_fd = tgid > 0 ? proc_open(tgid) : -1;
	char root[PROC_ROOT_SZ] = "";
	int verdict;

	/* A library is looked for below the root of the process that will map it. */
	if (proc_fd >= 0)
		proc_root(proc_fd, tgid, root);
	path = path_below(root, path, fd);
	if (!wants(session, tgid))
		return discover__is_other(session->discover, fd, path, root);
	verdict = discover__file(session->discover, fd, path, root, tgid);
	return verdict == DISCOVER_NOTHING || verdict == DISCOVER_INTERPRETER;
}

void session__hold(struct session *session)
{
	int err;

	if (session->opts->want_no_hold)
		return;
	err = hold__new(look_at_exec, session, &session->hold);
	if (!err)
		return;
	log_warn("starting programs cannot be held until they are probed (%s): first imports of an interpreter not known beforehand may be missed",
		 err == -EPERM ? "CAP_SYS_ADMIN is missing" : strerror(-err));
}
