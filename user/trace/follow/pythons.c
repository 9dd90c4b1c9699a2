// SPDX-License-Identifier: BSD-2-Clause
/*
 * Interpreters found by discovery, from the main thread and the hold thread; see pythons.h.
 * Entries are only ever added, so a pointer handed out stays good.
 */
#include "trace/follow/pythons.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/model.h"
#include "probe/probes.h"
#include "interpreters/interp.h"
#include "interpreters/discover/overlay.h"
#include "interpreters/process/proc.h"

struct python {
	struct interp *interp;
	__u32 layout;
	int err; /* 0 or why it is not probed */
	dev_t dev;
	ino_t ino;
	struct timespec ctime;
	__u64 probed_ns;
	bool has_run; /* in some process we wanted to trace */
};

struct pythons {
	struct probes *probes;
	pthread_mutex_t lock;
	struct python *items;
	size_t cnt;
};

int pythons__new(struct probes *probes, struct pythons **out)
{
	struct pythons *pythons = calloc(1, sizeof(*pythons));

	if (!pythons)
		return -ENOMEM;
	pythons->probes = probes;
	pthread_mutex_init(&pythons->lock, NULL);
	*out = pythons;
	return 0;
}

void pythons__free(struct pythons *pythons)
{
	if (!pythons)
		return;
	for (size_t i = 0; i < pythons->cnt; i++)
		interp__free(pythons->items[i].interp);
	free(pythons->items);
	pthread_mutex_destroy(&pythons->lock);
	free(pythons);
}

static int keep(struct pythons *pythons, struct python *python)
{
	struct python *grown;

	pthread_mutex_lock(&pythons->lock);
	grown = realloc(pythons->items, (pythons->cnt + 1) * sizeof(*grown));
	if (grown) {
		pythons->items = grown;
		grown[pythons->cnt++] = *python;
	}
	pthread_mutex_unlock(&pythons->lock);
	return grown ? 0 : -ENOMEM;
}

static int attach(struct pythons *pythons, int fd, const char *path, struct python *python)
{
	const struct interp *interp = python->interp;
	__u64 start_ns = clock_ns();
	int err;

	if (!pythons->probes)
		return 0;
	err = probes__attach(pythons->probes, fd, interp, &python->layout);
	if (err) { /* logged there */
		interp__note_unprobed(python->interp, err);
		return err;
	}
	log_info("probed %s: %s %s, %zu sites, %.1f ms", path, interp->implementation,
		 interp->version[0] ? interp->version : "of unknown version", interp->site_cnt,
		 (clock_ns() - start_ns) / 1e6);
	for (size_t i = 0; i < interp->note_cnt; i++)
		log_info("%s: %s", path, interp->notes[i]);
	return 0;
}

static bool is_file(const struct python *python, const struct stat *st)
{
	return python->dev == st->st_dev && python->ino == st->st_ino &&
	       python->ctime.tv_sec == st->st_ctim.tv_sec &&
	       python->ctime.tv_nsec == st->st_ctim.tv_nsec;
}

/* An interpreter that is known not to be probed is met again. 0: this is none of these. */
static int meet(struct pythons *pythons, const struct stat *st, pid_t tgid)
{
	int err = 0;

	pthread_mutex_lock(&pythons->lock);
	for (size_t i = 0; !err && i < pythons->cnt; i++) {
		struct python *python = &pythons->items[i];

		if (!python->err || !is_file(python, st))
			continue;
		err = python->err;
		python->has_run |= tgid != 0;
	}
	pthread_mutex_unlock(&pythons->lock);
	return err;
}

static int add(struct pythons *pythons, int fd, const char *path, pid_t tgid)
{
	struct python python = { .has_run = tgid != 0 };
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	err = meet(pythons, &st, tgid);
	if (err)
		return err;
	python.dev = st.st_dev;
	python.ino = st.st_ino;
	python.ctime = st.st_ctim;
	err = interp__open(fd, path, &python.interp);
	if (err == -ENOENT || err == -ENOEXEC)
		return err;
	if (err && !python.interp) {
		log_err(err, "cannot read the interpreter %s", path);
		if (interp__unreadable(path, err, &python.interp))
			return -ENOMEM;
	}
	if (!err)
		err = attach(pythons, fd, path, &python);
	python.err = err;
	python.probed_ns = clock_ns();
	err = keep(pythons, &python);
	if (err)
		interp__free(python.interp);
	return err ? err : python.err;
}

/* What runs since before its file was copied up in a container maps the copy below. */
static void add_lower(struct pythons *pythons, int fd, const char *path, pid_t tgid)
{
	_cleanup_close_ int proc_fd = proc_open(tgid);
	_cleanup_close_ int lower = proc_fd < 0 ? -1 : overlay_open_lower(proc_fd, path, fd);

	if (lower == -ESTALE)
		log_warn("process %d: %s was changed after the process started, and the original cannot be found: its imports may be missing",
			 tgid, path);
	if (lower < 0)
		return;
	log_debug("%s was copied up: the copy below is probed, too", path);
	add(pythons, lower, path, tgid);
}

int pythons__add(void *ctx, int fd, const char *path, pid_t tgid)
{
	int err = add(ctx, fd, path, tgid);

	if (!err && tgid)
		add_lower(ctx, fd, path, tgid);
	return err;
}

const struct interp *pythons__find(struct pythons *pythons, int fd, __u64 *probed_ns)
{
	const struct interp *interp = NULL;
	struct stat st;

	if (fstat(fd, &st))
		return NULL;
	pthread_mutex_lock(&pythons->lock);
	for (size_t i = 0; i < pythons->cnt; i++) {
		if (!pythons->items[i].err && is_file(&pythons->items[i], &st)) {
			interp = pythons->items[i].interp;
			if (probed_ns)
				*probed_ns = pythons->items[i].probed_ns;
		}
	}
	pthread_mutex_unlock(&pythons->lock);
	return interp;
}

pid_t pythons__fork(struct pythons *pythons)
{
	pid_t pid;

	pthread_mutex_lock(&pythons->lock);
	pid = fork();
	pthread_mutex_unlock(&pythons->lock);
	return pid;
}

static size_t count(struct pythons *pythons, bool want_refused)
{
	size_t cnt = 0;

	pthread_mutex_lock(&pythons->lock);
	for (size_t i = 0; i < pythons->cnt; i++)
		cnt += (pythons->items[i].err != 0) == want_refused;
	pthread_mutex_unlock(&pythons->lock);
	return cnt;
}

size_t pythons__cnt(struct pythons *pythons)
{
	return count(pythons, false);
}

size_t pythons__refused_cnt(struct pythons *pythons)
{
	return count(pythons, true);
}

const struct interp *pythons__get(struct pythons *pythons, size_t index, bool *is_refused)
{
	const struct interp *interp = NULL;

	pthread_mutex_lock(&pythons->lock);
	if (index < pythons->cnt) {
		interp = pythons->items[index].interp;
		*is_refused = pythons->items[index].err != 0;
	}
	pthread_mutex_unlock(&pythons->lock);
	return interp;
}

/* Did @python come by another path, say through another container's overlay? */
static bool is_alias(const struct pythons *pythons, const struct python *python)
{
	for (const struct python *other = pythons->items; other < python; other++)
		if (!other->err && other->layout == python->layout)
			return true;
	return false;
}

int pythons__describe(struct pythons *pythons, struct model *model)
{
	int err = 0;

	pthread_mutex_lock(&pythons->lock);
	for (size_t i = 0; !err && i < pythons->cnt; i++) {
		const struct interp *interp = pythons->items[i].interp;
		struct python_info info = {
			.version = interp->version[0] ? interp->version : NULL,
			.implementation = interp->implementation[0] ? interp->implementation : NULL,
			.binary = interp->path, .free_threaded = interp->is_free_threaded,
			.layers = interp->layers, .notes = (const char *const *)interp->notes,
			.note_cnt = interp->note_cnt,
		};

		if (!pythons->items[i].err && is_alias(pythons, &pythons->items[i]))
			continue;
		if (!pythons->items[i].err)
			err = model__set_python_info(model, pythons->items[i].layout, &info);
		else if (pythons->items[i].has_run)
			err = model__add_unprobed(model, &info);
	}
	pthread_mutex_unlock(&pythons->lock);
	return err;
}

void pythons__log_refused(struct pythons *pythons)
{
	const struct interp *interp;
	bool is_refused;

	for (size_t i = 0; (interp = pythons__get(pythons, i, &is_refused)); i++) {
		if (!is_refused)
			continue;
		log_err(0, "%s (%s %s) cannot be probed%s", interp->path, interp->implementation,
			interp->version, interp->note_cnt ? ":" : "");
		for (size_t j = 0; j < interp->note_cnt; j++)
			log_line("  %s", interp->notes[j]);
	}
}

static const struct {
	__u32 bit;
	const char *name;
} layer_names[] = {
	{ INTERP_LAYER_FIND, "loads" },
	{ INTERP_LAYER_IMPORT, "import statements" },
	{ INTERP_LAYER_BODY, "module bodies" },
	{ INTERP_LAYER_EXECDEF, "extension bodies" },
	{ INTERP_LAYER_DLOPEN, "dlopen" },
	{ INTERP_LAYER_DYNAMIC, "extension init" },
	{ INTERP_LAYER_SEARCH, "import_module and reload" },
	{ INTERP_LAYER_FRAMES, "importer's line" },
	{ INTERP_LAYER_NAMES, "names" },
};

void pythons_print_layers(const struct interp *interp, FILE *out)
{
	const char *separator = "";
	bool is_any_off = false;

	for (size_t i = 0; i < sizeof(layer_names) / sizeof(layer_names[0]); i++) {
		if (interp->layers & layer_names[i].bit) {
			fprintf(out, "%s%s", separator, layer_names[i].name);
			separator = ", ";
		} else {
			is_any_off = true;
		}
	}
	if (!is_any_off)
		return;
	separator = "; off: ";
	for (size_t i = 0; i < sizeof(layer_names) / sizeof(layer_names[0]); i++) {
		if (!(interp->layers & layer_names[i].bit)) {
			fprintf(out, "%s%s", separator, layer_names[i].name);
			separator = ", ";
		}
	}
}
