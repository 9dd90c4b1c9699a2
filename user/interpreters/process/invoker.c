// SPDX-License-Identifier: BSD-2-Clause
/* The invoking user and their environment; see invoker.h. */
#include "interpreters/process/invoker.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "interpreters/process/proc.h"

#define ENV_MAX_SZ (4u << 20) /* bytes taken of sudo's environment; Linux allows argv + env 6 MiB */
#define ANCESTORS_MAX 16

extern char **environ;

const char *invoker_getenv(const struct invoker *invoker, const char *name)
{
	size_t sz = strlen(name);

	for (size_t i = 0; i < invoker->env_cnt; i++) {
		if (!strncmp(invoker->env[i], name, sz) && invoker->env[i][sz] == '=')
			return invoker->env[i] + sz + 1;
	}
	return NULL;
}

static int parse_id(const char *text, unsigned long *out)
{
	char *end;

	if (!text || !*text)
		return -EINVAL;
	errno = 0;
	*out = strtoul(text, &end, 10);
	return errno || *end || *out >= UINT_MAX ? -EINVAL : 0;
}

/*
 * The sudo we came from: an ancestor of that name, owned by root. What its environment says is
 * used as that user only, so a wrong guess gives nobody a right they did not have.
 */
static int open_sudo(void)
{
	pid_t tgid = getppid();

	for (int i = 0; i < ANCESTORS_MAX && tgid > 1; i++) {
		_cleanup_close_ int fd = proc_open(tgid);
		char comm[16];
		uid_t uid;

		if (fd < 0 || proc_uid(fd, &uid) || proc_parent(fd, &tgid, comm))
			return -ENOENT;
		if (!strcmp(comm, "sudo") && uid == 0) {
			_cleanup_free_ char *exe = NULL;
			const char *base;

			if (proc_link(fd, "exe", &exe))
				return -ENOENT;
			base = strrchr(exe, '/');
			if (base && !strcmp(base, "/sudo"))
				return TAKE_FD(fd);
		}
	}
	return -ENOENT;
}

/* Does a variable of our environment stand among the words of sudo's command line? */
static bool is_given(const char *entry, char **words, size_t word_cnt)
{
	for (size_t i = 1; i < word_cnt; i++) {
		if (!strcmp(words[i], entry))
			return true;
	}
	return false;
}

static bool is_given_name(const char *entry, char **words, size_t word_cnt)
{
	size_t sz = strcspn(entry, "=") + 1;

	for (char **ours = environ; *ours; ours++) {
		if (!strncmp(*ours, entry, sz) && is_given(*ours, words, word_cnt))
			return true;
	}
	return false;
}

/* `sudo VAR=x pyimport-bpf …` means VAR for the command, and sudo's own environment lacks it. */
static int add_given(struct invoker *out, int sudo_fd)
{
	_cleanup_free_ char *args = NULL, *text = NULL;
	_cleanup_free_ char **words = NULL, **before = out->env;
	size_t args_sz, word_cnt, sz;
	FILE *file;
	int err;

	out->env = NULL;
	err = proc_read(sudo_fd, "cmdline", ENV_MAX_SZ, &args, &args_sz) ?:
	      proc_split_args(args, args_sz, &words, &word_cnt);
	if (err)
		return err;
	file = open_memstream(&text, &sz);
	if (!file)
		return -ENOMEM;
	for (size_t i = 0; i < out->env_cnt; i++) {
		if (!is_given_name(before[i], words, word_cnt))
			fprintf(file, "%s%c", before[i], 0);
	}
	for (char **ours = environ; *ours; ours++) {
		if (strchr(*ours, '=') && is_given(*ours, words, word_cnt))
			fprintf(file, "%s%c", *ours, 0);
	}
	if (fclose(file))
		return -ENOMEM;
	return proc_split_args(text, sz, &out->env, &out->env_cnt);
}

static int read_sudo_env(struct invoker *out)
{
	_cleanup_close_ int fd = open_sudo();
	_cleanup_free_ char *text = NULL;
	size_t sz;
	int err;

	if (fd < 0)
		return fd;
	err = proc_read(fd, "environ", ENV_MAX_SZ, &text, &sz);
	if (err || !sz)
		return err ? err : -ENOENT;
	err = proc_split_args(text, sz, &out->env, &out->env_cnt);
	/* With use_pty the nearest sudo is a child that already carries the filtered one. */
	out->is_env_original = !err && !invoker_getenv(out, "SUDO_UID");
	return out->is_env_original ? add_given(out, fd) : err;
}

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool is_replaced(const char *entry)
{
	static const char *const names[] = { "HOME=", "USER=", "LOGNAME=", "SHELL=", "MAIL=",
					     "SUDO_" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (starts_with(entry, names[i]))
			return true;
	}
	return false;
}

/* Our own environment; with @user its personal entries are replaced. */
static int copy_env(struct invoker *out, const struct passwd *user)
{
	_cleanup_free_ char *text = NULL;
	size_t sz;
	FILE *file = open_memstream(&text, &sz);

	if (!file)
		return -ENOMEM;
	for (char **entry = environ; *entry; entry++) {
		if (!user || !is_replaced(*entry))
			fprintf(file, "%s%c", *entry, 0);
	}
	if (user) {
		fprintf(file, "HOME=%s%c", user->pw_dir, 0);
		fprintf(file, "USER=%s%cLOGNAME=%s%c", user->pw_name, 0, user->pw_name, 0);
		fprintf(file, "SHELL=%s%c", user->pw_shell, 0);
	}
	if (fclose(file))
		return -ENOMEM;
	free(out->env);
	out->env = NULL;
	return proc_split_args(text, sz, &out->env, &out->env_cnt);
}

int invoker_find(struct invoker *out)
{
	struct invoker found = { .uid = getuid(), .gid = getgid() };
	unsigned long uid, gid;
	struct passwd *user;
	int err = 0;

	if (geteuid() || parse_id(getenv("SUDO_UID"), &uid) ||
	    parse_id(getenv("SUDO_GID"), &gid) || !uid) {
		err = copy_env(&found, NULL);
		if (!err)
			*out = found;
		return err;
	}
	found.is_other = true;
	found.uid = uid;
	found.gid = gid;
	user = getpwuid(uid);
	if (user) {
		found.name = strdup(user->pw_name);
		if (!found.name)
			return -ENOMEM;
	}
	if (read_sudo_env(&found) || !found.is_env_original)
		err = copy_env(&found, user);
	if (err) {
		invoker_clear(&found);
		return err;
	}
	*out = found;
	return 0;
}

void invoker_clear(struct invoker *invoker)
{
	free(invoker->name);
	free(invoker->env);
	*invoker = (struct invoker){};
}

/*
 * All three ids at once, so there is no way back. Leaving uid 0 empties the permitted and
 * effective sets; the ambient set is emptied by hand, as it would survive exec.
 */
int invoker_become(const struct invoker *invoker)
{
	if (!invoker->is_other)
		return 0;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (invoker->name ? initgroups(invoker->name, invoker->gid) : setgroups(0, NULL))
		return -errno;
	if (setresgid(invoker->gid, invoker->gid, invoker->gid) ||
	    setresuid(invoker->uid, invoker->uid, invoker->uid))
		return -errno;
	if (!setuid(0))
		return -EPERM;
	return 0;
}
