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
#include <unistd.h>

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

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* Does sudo set it for everything it runs, whatever it was before? */
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

/* Words of a command line, or entries of an environment; one block. */
struct words {
	char **word;
	size_t cnt;
};

static void words_clear(struct words *words)
{
	free(words->word);
}
#define _cleanup_words_ _cleanup_(words_clear)

static int read_words(int proc_fd, const char *name, struct words *out)
{
	_cleanup_free_ char *text = NULL;
	size_t sz;

	return proc_read(proc_fd, name, ENV_MAX_SZ, &text, &sz) ?:
	       proc_split_args(text, sz, &out->word, &out->cnt);
}

static bool has_entry(const struct words *words, const char *entry)
{
	for (size_t i = 0; i < words->cnt; i++) {
		if (!strcmp(words->word[i], entry))
			return true;
	}
	return false;
}

static const char *value_of(const struct words *env, const char *name, size_t name_sz)
{
	for (size_t i = 0; i < env->cnt; i++) {
		if (!strncmp(env->word[i], name, name_sz) && env->word[i][name_sz] == '=')
			return env->word[i] + name_sz + 1;
	}
	return NULL;
}

static bool has_name_of(const struct words *env, const char *entry)
{
	return value_of(env, entry, strcspn(entry, "="));
}

/*
 * The sudo we came from: an ancestor of that name, owned by root; *below is what it started, maybe
 * ourselves. What its environment says is used as that user only, so a wrong guess gives nobody a
 * right they did not have.
 */
static int open_sudo(pid_t *below)
{
	pid_t tgid = getppid();

	*below = getpid();
	for (int i = 0; i < ANCESTORS_MAX && tgid > 1; i++) {
		_cleanup_close_ int fd = proc_open(tgid);
		pid_t at = tgid;
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
		*below = at;
	}
	return -ENOENT;
}

/* Is the process below sudo still what sudo executed, so that its environment is sudo's work? */
static bool is_as_started(const struct words *args, const struct words *env)
{
	const char *command = value_of(env, "SUDO_COMMAND", strlen("SUDO_COMMAND"));

	command = command ? strchrnul(command, ' ') : "";
	for (size_t i = 1; i < args->cnt; i++) {
		if (*command != ' ' || !starts_with(command + 1, args->word[i]))
			return false;
		command += 1 + strlen(args->word[i]);
	}
	return !*command;
}

/*
 * What lies between the user's environment and ours. The sudo above us need not be the one that
 * our SUDO_UID speaks of (`sudo make` may run a container's shell): -ESTALE then.
 */
struct sudo {
	struct words before; /* the environment that sudo was called with */
	struct words line;   /* sudo's command line */
	struct words made;   /* the environment that sudo gave to what it ran */
	bool is_made_known;  /* not when that has executed something else, as `sudo env` does */
};

static void sudo_clear(struct sudo *sudo)
{
	free(sudo->before.word);
	free(sudo->line.word);
	free(sudo->made.word);
}
#define _cleanup_sudo_ _cleanup_(sudo_clear)

/* Do the ids that sudo gave to what it ran equal ours? */
static bool is_our_sudo(const struct words *made)
{
	static const char *const ids[] = { "SUDO_UID", "SUDO_GID" };

	for (size_t i = 0; i < 2; i++) {
		const char *value = value_of(made, ids[i], strlen(ids[i]));
		const char *ours = getenv(ids[i]);

		if (!value || !ours || strcmp(value, ours))
			return false;
	}
	return true;
}

static int read_sudo(struct sudo *out)
{
	_cleanup_words_ struct words args = {};
	_cleanup_close_ int below_fd = -1;
	pid_t below;
	_cleanup_close_ int fd = open_sudo(&below);
	int err;

	if (fd < 0)
		return fd;
	below_fd = proc_open(below);
	if (below_fd < 0)
		return below_fd;
	err = read_words(fd, "environ", &out->before) ?: read_words(fd, "cmdline", &out->line) ?:
	      read_words(below_fd, "environ", &out->made) ?:
	      read_words(below_fd, "cmdline", &args);
	if (err)
		return err;
	if (!is_our_sudo(&out->made))
		return -ESTALE;
	out->is_made_known = is_as_started(&args, &out->made);
	return 0;
}

/*
 * Is this entry of ours meant for the command? `sudo VAR=x pyimport-bpf` says so, and so does
 * whoever set it after sudo: a shell, make. What is unlike before though nobody knows how it left
 * sudo counts as well, but for what sudo sets by itself.
 */
static bool is_meant(const struct sudo *sudo, const char *entry)
{
	if (!strchr(entry, '='))
		return false;
	if (has_entry(&sudo->line, entry))
		return true;
	if (is_replaced(entry))
		return false;
	if (sudo->is_made_known)
		return !has_entry(&sudo->made, entry);
	return !has_entry(&sudo->before, entry) && !starts_with(entry, "PATH=") &&
	       !starts_with(entry, "TERM=");
}

/* Is this entry of before sudo in force no more: set anew, or unset by somebody after sudo? */
static bool is_superseded(const struct sudo *sudo, const char *entry)
{
	size_t name_sz = strcspn(entry, "=");

	for (char **ours = environ; *ours; ours++) {
		if (!strncmp(*ours, entry, name_sz) && (*ours)[name_sz] == '=')
			return is_meant(sudo, *ours);
	}
	return sudo->is_made_known && has_name_of(&sudo->made, entry);
}

static int join_env(struct invoker *out, const struct sudo *sudo)
{
	_cleanup_free_ char *text = NULL;
	size_t sz;
	FILE *file = open_memstream(&text, &sz);

	if (!file)
		return -ENOMEM;
	for (size_t i = 0; i < sudo->before.cnt; i++) {
		if (!is_superseded(sudo, sudo->before.word[i]))
			fprintf(file, "%s%c", sudo->before.word[i], 0);
	}
	for (char **ours = environ; *ours; ours++) {
		if (is_meant(sudo, *ours))
			fprintf(file, "%s%c", *ours, 0);
	}
	if (fclose(file))
		return -ENOMEM;
	return proc_split_args(text, sz, &out->env, &out->env_cnt);
}

static int read_sudo_env(struct invoker *out)
{
	_cleanup_sudo_ struct sudo sudo = {};

	return read_sudo(&sudo) ?: join_env(out, &sudo);
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
	if (read_sudo_env(&found))
		err = copy_env(&found, user);
	if (err) {
		invoker_clear(&found);
		return err;
	}
	*out = found;
	return 0;
}

int invoker_owner(uid_t *uid, gid_t *gid)
{
	_cleanup_sudo_ struct sudo sudo = {};
	unsigned long found_uid, found_gid;

	if (geteuid() || read_sudo(&sudo) || parse_id(getenv("SUDO_UID"), &found_uid) ||
	    parse_id(getenv("SUDO_GID"), &found_gid))
		return -ENOENT;
	*uid = found_uid;
	*gid = found_gid;
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
