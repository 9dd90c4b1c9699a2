// SPDX-License-Identifier: BSD-2-Clause
/* See output_file.h. */
#include "trace/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "interpreters/process/invoker.h"

#define MODE 0600
#define TRIES 16        /* for a name that nobody has */
#define COPY_SZ 65536

/* Who may own what we write to, and who is to own what we make. */
struct owner {
	uid_t uid;
	gid_t gid;
	bool is_other;  /* not who we run as */
};

static struct owner find_owner(void)
{
	struct owner owner = { .uid = geteuid(), .gid = getegid() };

	owner.is_other = !invoker_owner(&owner.uid, &owner.gid);
	return owner;
}

static bool is_trusted(const struct owner *owner, uid_t uid)
{
	return !uid || uid == geteuid() || uid == owner->uid;
}

static bool is_shared(const struct owner *owner, const struct stat *dir)
{
	bool is_group_other = dir->st_gid && dir->st_gid != getegid() && dir->st_gid != owner->gid;

	return !is_trusted(owner, dir->st_uid) || dir->st_mode & S_IWOTH ||
	       (dir->st_mode & S_IWGRP && is_group_other);
}

/* Will a name in it be ours to change without the privileges that we give up? */
static bool may_rename(const struct stat *dir)
{
	mode_t bit = dir->st_uid == geteuid() ? S_IWUSR :
		     dir->st_gid == getegid() ? S_IWGRP : S_IWOTH;

	/* In a sticky one only the owners of file or directory may. */
	return dir->st_mode & bit && (!(dir->st_mode & S_ISVTX) || dir->st_uid == geteuid());
}

static int dup_cloexec(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int set_file(int *fd, struct output_file *out)
{
	out->file = fdopen(*fd, "w");
	if (!out->file)
		return -errno;
	(void)TAKE_FD(*fd);
	return 0;
}

/* A new file under @name that was not there; given to its owner. */
static int create(int dir_fd, const char *name, const struct owner *owner)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);

	if (fd < 0)
		return -errno;
	if (fchmod(fd, MODE) || (owner->is_other && fchown(fd, owner->uid, owner->gid)))
		log_debug("cannot set mode and owner of %s: %s", name, strerror(errno));
	return fd;
}

static int open_new(struct output_file *out, const struct owner *owner)
{
	_cleanup_close_ int fd = create(out->dir_fd, out->name, owner);

	if (fd < 0)
		return fd;
	out->temp = strdup(out->name);
	if (!out->temp) {
		unlinkat(out->dir_fd, out->name, 0);
		return -ENOMEM;
	}
	return set_file(&fd, out);
}

static int open_beside(struct output_file *out, const struct owner *owner)
{
	_cleanup_close_ int fd = -EEXIST;
	unsigned int random = 0;

	for (int i = 0; fd == -EEXIST && i < TRIES; i++) {
		if (getrandom(&random, sizeof(random), 0) < 0)
			return -errno;
		free(out->temp);
		if (asprintf(&out->temp, ".%s.%08x", out->name, random) < 0)
			out->temp = NULL;
		fd = out->temp ? create(out->dir_fd, out->temp, owner) : -ENOMEM;
	}
	if (fd < 0) {
		free(out->temp);
		out->temp = NULL;
		return fd;
	}
	return set_file(&fd, out);
}

/* The very file that @st is of, wherever it stands. */
static int open_same(const struct output_file *out, const struct stat *st, int flags)
{
	_cleanup_close_ int fd = openat(out->dir_fd, out->name,
					O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC | flags);
	struct stat now;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &now) || now.st_ino != st->st_ino || now.st_dev != st->st_dev)
		return -ELOOP;
	return TAKE_FD(fd);
}

/* Takes @fd. Unless it is written as it comes, nothing is touched before there is room for all. */
static int write_over(int fd, struct output_file *out)
{
	_cleanup_close_ int own = out->is_early ? dup_cloexec(fd) : memfd_create("report", MFD_CLOEXEC);

	out->old_fd = fd;
	return own < 0 ? -errno : set_file(&own, out);
}

static int open_regular(struct output_file *out, const struct owner *owner, const struct stat *dir,
			const struct stat *st)
{
	bool is_mount = st->st_dev != dir->st_dev; /* it stays what the name leads to */
	int fd;

	/* Renaming would replace it, but who may not write to it is not to get around that. */
	if (faccessat(out->dir_fd, out->name, W_OK, AT_EACCESS))
		return -errno;
	if (!is_mount && (out->is_early || may_rename(dir)))
		return open_beside(out, owner);
	if (is_shared(owner, dir) && (!is_trusted(owner, st->st_uid) || st->st_nlink != 1))
		return -ELOOP;
	fd = open_same(out, st, O_NONBLOCK);
	return fd < 0 ? fd : write_over(fd, out);
}

/* A pipe or a device. */
static int open_special(struct output_file *out, const struct owner *owner, const struct stat *dir,
			const struct stat *st)
{
	_cleanup_close_ int fd = -1;

	if (is_shared(owner, dir) && (!is_trusted(owner, st->st_uid) || st->st_nlink != 1))
		return -ELOOP;
	fd = open_same(out, st, 0);
	return fd < 0 ? fd : set_file(&fd, out);
}

static int open_link(struct output_file *out, const struct owner *owner, const struct stat *dir)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (is_shared(owner, dir))
		return -ELOOP;
	fd = openat(out->dir_fd, out->name, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) ? write_over(TAKE_FD(fd), out) : set_file(&fd, out);
}

/* What is written as it comes has its name when it is placed: not while it is empty. */
static int open_absent(struct output_file *out, const struct owner *owner)
{
	int err = out->is_early ? open_beside(out, owner) : -ENAMETOOLONG;

	return err == -ENAMETOOLONG ? open_new(out, owner) : err;
}

static int open_at(struct output_file *out)
{
	struct owner owner = find_owner();
	struct stat dir, st;

	if (fstat(out->dir_fd, &dir))
		return -errno;
	if (fstatat(out->dir_fd, out->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? open_absent(out, &owner) : -errno;
	if (S_ISLNK(st.st_mode))
		return open_link(out, &owner, &dir);
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) ? open_regular(out, &owner, &dir, &st) :
				     open_special(out, &owner, &dir, &st);
}

int output_file__open(const char *path, bool is_early, struct output_file *out)
{
	const char *base = strrchr(path, '/');
	_cleanup_free_ char *dir = NULL;
	int err;

	*out = (struct output_file){ .dir_fd = -1, .old_fd = -1, .is_early = is_early };
	dir = base ? strndup(path, base == path ? 1 : (size_t)(base - path)) : strdup(".");
	base = base ? base + 1 : path;
	if (!dir)
		return -ENOMEM;
	if (!*base)
		return *path ? -EISDIR : -ENOENT;
	out->name = strdup(base);
	out->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	err = !out->name ? -ENOMEM : out->dir_fd < 0 ? -errno : open_at(out);
	if (err)
		output_file__close(out);
	return err;
}

/* Room first: a disk that is full leaves the old content. Not every file system can promise. */
static int copy_over(struct output_file *out)
{
	_cleanup_free_ char *block = malloc(COPY_SZ);
	int from = fileno(out->file);
	struct stat st;
	ssize_t got;
	off_t at = 0;

	if (!block)
		return -ENOMEM;
	if (fstat(from, &st))
		return -errno;
	if (st.st_size && fallocate(out->old_fd, FALLOC_FL_KEEP_SIZE, 0, st.st_size) &&
	    errno != EOPNOTSUPP)
		return -errno;
	while ((got = pread(from, block, COPY_SZ, at)) > 0) {
		ssize_t put = pwrite(out->old_fd, block, got, at);

		if (put < 0)
			return -errno;
		at += put;
	}
	return got < 0 || ftruncate(out->old_fd, at) ? -errno : 0;
}

int output_file__place(struct output_file *out)
{
	if (out->is_placed)
		return 0;
	if (out->old_fd >= 0 && !out->is_early)
		return copy_over(out);
	if (out->old_fd >= 0 && ftruncate(out->old_fd, 0))
		return -errno;
	if (out->temp && strcmp(out->temp, out->name)) {
		if (renameat(out->dir_fd, out->temp, out->dir_fd, out->name))
			return -errno;
		memcpy(out->temp, out->name, strlen(out->name) + 1); /* the shorter one */
	}
	out->is_placed = true;
	return 0;
}

int output_file__keep(struct output_file *out)
{
	int err;

	errno = 0;
	if (fflush(out->file) || ferror(out->file))
		return errno ? -errno : -EIO;
	err = output_file__place(out);
	out->is_kept |= !err;
	return err;
}

void output_file__close(struct output_file *out)
{
	if (out->temp && !out->is_kept && unlinkat(out->dir_fd, out->temp, 0))
		log_debug("cannot remove %s: %s", out->temp, strerror(errno));
	if (out->file)
		fclose(out->file);
	if (out->dir_fd >= 0)
		close(out->dir_fd);
	if (out->old_fd >= 0)
		close(out->old_fd);
	free(out->name);
	free(out->temp);
	*out = (struct output_file){ .dir_fd = -1, .old_fd = -1 };
}
