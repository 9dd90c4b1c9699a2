// SPDX-License-Identifier: BSD-2-Clause
/*
 * See spool.h. A capture is written under a name that begins with a dot and gets its own when it
 * is whole, so that whoever reads the directory never sees half a file. All is done below one
 * descriptor: a directory that is renamed is not followed by another.
 */
#include "agent/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/startup_sums.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "model/model.h"
#include "trace/opts.h"

#define BYTES_DEFAULT 256000000
#define FILES_DEFAULT 1000
#define AGE_DEFAULT_S (30 * 24 * 3600LL)
#define PREFIX "start-"
#define SUFFIX ".cap"
#define UNFINISHED ".unfinished" SUFFIX /* one at a time: what a crash left is overwritten */
#define LOCK ".lock"
#define SLACK_S 60
#define NAME_SZ 160
#define ENTRY_SHOWN 48

struct spool {
	int dir_fd, lock_fd;
	size_t bytes_max, files_max;
	long long age_max_s;
	struct spool_stats stats;
	bool has_failed; /* the last time: said so */
};

/* A capture that is there. */
struct item {
	char name[NAME_SZ];
	time_t made_s;
	off_t sz;
};

static int open_dir(const char *path)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (mkdir(path, 0700) && errno != EEXIST)
		return log_err(-errno, "--spool: cannot make %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return log_err(-errno, "--spool: cannot open %s", path);
	/* Whoever may write there could make us remove or write another file. */
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH)) {
		log_err(0, "--spool: %s may be written to by others", path);
		return -EPERM;
	}
	return TAKE_FD(fd);
}

/*
 * One agent a directory: two would write into one unfinished file. A lock of a record is the
 * process' own: it goes with it, though its children have the descriptor.
 */
static int lock_dir(int dir_fd, const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	_cleanup_close_ int fd = openat(dir_fd, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
					0600);

	if (fd < 0)
		return log_err(-errno, "--spool: cannot open %s/" LOCK, path);
	if (!fcntl(fd, F_SETLK, &lock))
		return TAKE_FD(fd);
	if (errno != EAGAIN && errno != EACCES)
		return log_err(-errno, "--spool: cannot lock %s/" LOCK, path);
	log_err(0, "--spool: another agent keeps its captures in %s", path);
	return -EBUSY;
}

static bool is_capture(const char *name)
{
	size_t sz = strlen(name);

	return sz < NAME_SZ && sz > strlen(PREFIX SUFFIX) &&
	       !strncmp(name, PREFIX, strlen(PREFIX)) &&
	       !strcmp(name + sz - strlen(SUFFIX), SUFFIX);
}

static int read_items(const struct spool *spool, struct item **items, size_t *cnt)
{
	int fd = openat(spool->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	struct item *bigger;
	struct stat st;
	int err = 0;

	*items = NULL;
	*cnt = 0;
	if (!dir) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (!err && (entry = readdir(dir))) {
		if (!is_capture(entry->d_name) ||
		    fstatat(spool->dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(st.st_mode))
			continue;
		bigger = reallocarray(*items, *cnt + 1, sizeof(**items));
		if (!bigger) {
			err = -ENOMEM;
			break;
		}
		*items = bigger;
		bigger[*cnt] = (struct item){ .made_s = st.st_mtime, .sz = st.st_size };
		memcpy(bigger[(*cnt)++].name, entry->d_name, strlen(entry->d_name) + 1);
	}
	closedir(dir);
	return err;
}

static int cmp_newest(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->made_s != y->made_s)
		return x->made_s < y->made_s ? 1 : -1;
	return strcmp(y->name, x->name); /* names begin with the time */
}

/*
 * The newest stay, as many as the limits allow. A clock set back makes none of them old, but those
 * of a time that has not come yet are the first to go: they would be the newest for years.
 */
static void trim(struct spool *spool)
{
	_cleanup_free_ struct item *items = NULL;
	long long now_s = time(NULL);
	size_t cnt;

	if (read_items(spool, &items, &cnt))
		return;
	for (size_t i = 0; i < cnt; i++)
		if (items[i].made_s > now_s + SLACK_S)
			items[i].made_s = (time_t)(now_s - spool->age_max_s);
	if (cnt)
		qsort(items, cnt, sizeof(*items), cmp_newest);
	spool->stats.bytes = spool->stats.files = 0;
	for (size_t i = 0; i < cnt; i++) {
		bool is_kept = spool->stats.files < spool->files_max &&
			       spool->stats.bytes + (size_t)items[i].sz <= spool->bytes_max &&
			       now_s - items[i].made_s <= spool->age_max_s;

		if (is_kept || unlinkat(spool->dir_fd, items[i].name, 0)) {
			spool->stats.files++;
			spool->stats.bytes += (size_t)items[i].sz;
		} else {
			spool->stats.dropped_cnt++;
		}
	}
}

void spool__limit(struct spool *spool, const struct opts *opts)
{
	spool->bytes_max = opts->spool_bytes ?: BYTES_DEFAULT;
	spool->files_max = opts->spool_files ?: FILES_DEFAULT;
	spool->age_max_s = opts->spool_age_ns ? (long long)(opts->spool_age_ns / 1000000000) :
						AGE_DEFAULT_S;
	trim(spool);
}

void spool__free(struct spool *spool)
{
	if (!spool)
		return;
	if (spool->lock_fd >= 0)
		close(spool->lock_fd);
	if (spool->dir_fd >= 0)
		close(spool->dir_fd);
	free(spool);
}

int spool__new(const struct opts *opts, struct spool **out)
{
	struct spool *spool = calloc(1, sizeof(*spool));
	int err;

	if (!spool)
		return -ENOMEM;
	spool->lock_fd = -1;
	spool->dir_fd = open_dir(opts->spool);
	err = spool->dir_fd;
	if (err >= 0)
		err = spool->lock_fd = lock_dir(spool->dir_fd, opts->spool);
	if (err < 0) {
		spool__free(spool);
		return err;
	}
	spool__limit(spool, opts);
	*out = spool;
	return 0;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_';
}

/* Of a path its last part. */
static void make_name(const struct notable *notable, char name[NAME_SZ])
{
	const char *whole = notable->labels.entry, *slash = strrchr(whole, '/');
	const char *at = slash ? slash + 1 : whole;
	char entry[ENTRY_SHOWN + 1] = "";
	time_t now_s = time(NULL);
	struct tm tm = {};
	char when[32];

	for (size_t i = 0; i < ENTRY_SHOWN && at[i]; i++)
		entry[i] = is_plain(at[i]) ? at[i] : '_';
	gmtime_r(&now_s, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(name, NAME_SZ, PREFIX "%s-%s-%s-%u" SUFFIX, when, notable_word(notable->why),
		 entry, notable->process->tgid);
}

static int write_capture(const struct spool *spool, const struct model *part,
			 const struct notable *notable)
{
	_cleanup_close_ int fd = openat(spool->dir_fd, UNFINISHED,
					O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
					0600);
	char name[NAME_SZ];
	FILE *out;
	int err;

	if (fd < 0)
		return -errno;
	out = fdopen(fd, "w");
	if (!out)
		return -errno;
	(void)TAKE_FD(fd);
	err = model__write_kept(part, notable->end_ns, out);
	if (fclose(out) && !err)
		err = -errno;
	make_name(notable, name);
	if (!err && renameat(spool->dir_fd, UNFINISHED, spool->dir_fd, name))
		err = -errno;
	if (err)
		unlinkat(spool->dir_fd, UNFINISHED, 0);
	return err;
}

void spool__keep(struct spool *spool, const struct model *part, const struct notable *notable)
{
	int err = write_capture(spool, part, notable);

	if (err && !spool->has_failed)
		log_err(err, "a capture of %s could not be kept", notable->labels.entry);
	spool->has_failed = err;
	spool->stats.failed_cnt += err != 0;
	spool->stats.kept_cnt += !err;
	if (!err || err == -ENOSPC || err == -EDQUOT)
		trim(spool);
}

void spool__stats(const struct spool *spool, struct spool_stats *out)
{
	*out = spool->stats;
}
