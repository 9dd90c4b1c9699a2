// SPDX-License-Identifier: BSD-2-Clause
/*
 * Names of containers from the runtimes' own files: podman's and CRI-O's store and monitor,
 * docker's config, containerd's bundles. Sizes are bounded, ids checked before they become paths,
 * and files that anybody but root may write say nothing. Those of the host are read below the root
 * of the first process: from within a container that shares its process ids, too.
 */
#include "interpreters/containers/container_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "interpreters/process/proc.h"

#define FILE_MAX_SZ (16u << 20)
#define DOCKER_DIR "/var/lib/docker/containers"
#define TASKS_DIR "io.containerd.runtime.v2.task"
#define STORE_DEFAULT "/var/lib/containers/storage"
#define HOST_ROOT "/proc/1/root"

#define _cleanup_json_ json_auto_t

/* containerd's own, that of k3s and RKE2, that of MicroK8s. */
static const char *const containerd_dirs[] = {
	"/run/containerd", "/run/k3s/containerd", "/var/snap/microk8s/common/run/containerd",
};

static const char *host_root(void)
{
	return access(HOST_ROOT "/", X_OK) ? "" : HOST_ROOT;
}

/* An id that may stand in a path. */
static bool is_id(const char *id)
{
	size_t sz = strlen(id);

	return sz && sz < CONTAINER_ID_SZ && id[0] != '.' && !strchr(id, '/');
}

static char *read_file(const char *path, size_t *sz)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t got = 0;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX_SZ ||
	    st.st_uid || st.st_mode & (S_IWGRP | S_IWOTH))
		return NULL;
	text = malloc(st.st_size + 1);
	while (text && got < (size_t)st.st_size) {
		ssize_t cnt = read(fd, text + got, st.st_size - got);

		if (cnt <= 0)
			break;
		got += cnt;
	}
	if (!text)
		return NULL;
	text[got] = '\0';
	*sz = got;
	return TAKE_PTR(text);
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/*
 * CRI-O and docker call those of Kubernetes k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT, and no part
 * can have such a line in it: as NAMESPACE/POD/CONTAINER, malloc'd. NULL: another name.
 */
static char *pod_name_of(const char *name)
{
	char space[64], pod[254], container[64], *both;

	if (!name || sscanf(name, "k8s_%63[^_]_%253[^_]_%63[^_]_%*[^_]_%*u", container, pod,
			    space) != 3)
		return NULL;
	return asprintf(&both, "%s/%s/%s", space, pod, container) < 0 ? NULL : both;
}

/* Copied by whoever is told: what is read of a file is const. */
static void tell(container_fn fn, void *ctx, const char *id, const char *name, const char *image,
		 const char *runtime)
{
	_cleanup_free_ char *pod = pod_name_of(name);
	const struct container_names names = { pod ? pod : (char *)name, (char *)image, runtime };

	fn(ctx, id, &names);
}

/* containers/storage: overlay-containers/containers.json */
void container_parse_store(const char *text, size_t sz, container_fn fn, void *ctx)
{
	_cleanup_json_ *all = json_loadb(text, sz, 0, NULL);
	json_t *one;
	size_t i;

	json_array_foreach(all, i, one) {
		const char *id = text_of(one, "id");
		const char *name = json_string_value(json_array_get(json_object_get(one, "names"),
								    0));

		const char *more = text_of(one, "metadata"); /* JSON in a text */
		_cleanup_json_ *notes = more ? json_loads(more, 0, NULL) : NULL;

		/* CRI-O shares the format; its own names begin with the pod's. */
		if (id && is_id(id))
			tell(fn, ctx, id, name, text_of(notes, "image-name"),
			     name && !strncmp(name, "k8s_", 4) ? "cri-o" : "podman");
	}
}

void container_parse_docker(const char *text, size_t sz, container_fn fn, void *ctx)
{
	_cleanup_json_ *one = json_loadb(text, sz, 0, NULL);
	const char *id = text_of(one, "ID"), *name = text_of(one, "Name");

	if (id && is_id(id))
		tell(fn, ctx, id, name && *name == '/' ? name + 1 : name,
		     text_of(json_object_get(one, "Config"), "Image"), "docker");
}

/* An OCI bundle's config.json: the annotations say what Kubernetes or nerdctl call it. */
void container_parse_bundle(const char *id, const char *text, size_t sz, const char *runtime,
			    container_fn fn, void *ctx)
{
	_cleanup_json_ *spec = json_loadb(text, sz, 0, NULL);
	const json_t *notes = json_object_get(spec, "annotations");
	const char *name = text_of(notes, "io.kubernetes.cri.container-name");
	const char *pod = text_of(notes, "io.kubernetes.cri.sandbox-name");
	const char *space = text_of(notes, "io.kubernetes.cri.sandbox-namespace");
	_cleanup_free_ char *both = NULL;

	if (!name)
		name = text_of(notes, "io.kubernetes.container.name");
	if (!pod)
		pod = text_of(notes, "io.kubernetes.pod.name");
	if (!space)
		space = text_of(notes, "io.kubernetes.pod.namespace");
	if (!name && !pod)
		name = text_of(notes, "nerdctl/name");
	if (name && pod && asprintf(&both, "%s%s%s/%s", space ? space : "", space ? "/" : "", pod,
				    name) >= 0)
		name = both;
	tell(fn, ctx, id, name ? name : pod, text_of(notes, "io.kubernetes.cri.image-name"), runtime);
}

void container_parse_conmon(char *const *argv, size_t argc, container_fn fn, void *ctx)
{
	const char *id = NULL, *name = NULL;

	for (size_t i = 1; i + 1 < argc; i++) {
		if (!strcmp(argv[i], "-c") || !strcmp(argv[i], "--cid"))
			id = argv[++i];
		else if (!strcmp(argv[i], "-n") || !strcmp(argv[i], "--name"))
			name = argv[++i];
	}
	if (id && is_id(id))
		tell(fn, ctx, id, name, NULL,
		     name && !strncmp(name, "k8s_", 4) ? "cri-o" : "podman");
}

static void read_store(const char *root, container_fn fn, void *ctx)
{
	static const char *const drivers[] = { "overlay", "vfs", "btrfs", "zfs" };

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		_cleanup_free_ char *text = NULL;
		char path[PATH_MAX];
		size_t sz;

		snprintf(path, sizeof(path), "%s/%s-containers/containers.json", root, drivers[i]);
		text = read_file(path, &sz);
		if (text)
			container_parse_store(text, sz, fn, ctx);
	}
}

/* `graphroot = "DIR"` of a storage.conf; nothing else of it matters here. */
static void read_configured_store(const char *path, container_fn fn, void *ctx)
{
	_cleanup_fclose_ FILE *file = path ? fopen(path, "re") : NULL;
	char line[PATH_MAX + 64], root[PATH_MAX];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " graphroot = \"%4095[^\"]\"", root) == 1)
			read_store(root, fn, ctx);
}

struct conmon_scan {
	container_fn fn;
	void *ctx;
};

static int read_conmon(void *ctx, pid_t tgid)
{
	struct conmon_scan *scan = ctx;
	_cleanup_close_ int fd = proc_open(tgid);
	_cleanup_free_ char **argv = NULL;
	char comm[16] = "";
	size_t argc;
	pid_t ppid;

	/* Anybody may call himself conmon. */
	if (fd < 0 || proc_parent(fd, &ppid, comm) || strcmp(comm, "conmon") ||
	    !proc_is_root(fd) || proc_argv(fd, &argv, &argc))
		return 0;
	container_parse_conmon(argv, argc, scan->fn, scan->ctx);
	return 0;
}

static void read_podman(container_fn fn, void *ctx)
{
	struct conmon_scan scan = { fn, ctx };
	char store[PATH_MAX];

	snprintf(store, sizeof(store), "%s" STORE_DEFAULT, host_root());
	read_store(store, fn, ctx);
	read_configured_store(getenv("CONTAINERS_STORAGE_CONF"), fn, ctx);
	read_configured_store("/etc/containers/storage.conf", fn, ctx);
	proc_each(read_conmon, &scan);
}

static void read_docker(const char *id, container_fn fn, void *ctx)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t sz;

	snprintf(path, sizeof(path), "%s" DOCKER_DIR "/%s/config.v2.json", host_root(), id);
	text = read_file(path, &sz);
	if (text)
		container_parse_docker(text, sz, fn, ctx);
}

/* @dir: of a containerd, with its tasks. */
static void read_bundle(const char *dir, const char *space, const char *id, container_fn fn,
			void *ctx)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t sz;

	if (snprintf(path, sizeof(path), "%s/%s/%s/config.json", dir, space, id) >= PATH_MAX)
		return;
	text = read_file(path, &sz);
	/* "moby" is docker's: its own files have the name. */
	if (text)
		container_parse_bundle(id, text, sz,
				       strcmp(space, "moby") ? "containerd" : "docker", fn, ctx);
}

/* Calls @fn for each entry of a directory that could be an id. */
static void each_entry(const char *dir, void (*fn)(const char *name, void *ctx), void *ctx)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		if (is_id(entry->d_name))
			fn(entry->d_name, ctx);
	if (stream)
		closedir(stream);
}

struct scan {
	const char *id;         /* NULL = all of them */
	const char *dir, *space; /* of containerd */
	container_fn fn;
	void *ctx;
};

static void scan_docker(const char *id, void *ctx)
{
	struct scan *scan = ctx;

	read_docker(id, scan->fn, scan->ctx);
}

static void scan_bundle(const char *id, void *ctx)
{
	struct scan *scan = ctx;

	read_bundle(scan->dir, scan->space, id, scan->fn, scan->ctx);
}

static void scan_space(const char *space, void *ctx)
{
	struct scan *scan = ctx;
	char dir[PATH_MAX];

	scan->space = space;
	if (scan->id) {
		read_bundle(scan->dir, space, scan->id, scan->fn, scan->ctx);
		return;
	}
	if (snprintf(dir, sizeof(dir), "%s/%s", scan->dir, space) < PATH_MAX)
		each_entry(dir, scan_bundle, scan);
}

static void scan_containerd(struct scan *scan)
{
	for (size_t i = 0; i < sizeof(containerd_dirs) / sizeof(containerd_dirs[0]); i++) {
		char dir[PATH_MAX];

		snprintf(dir, sizeof(dir), "%s%s/" TASKS_DIR, host_root(), containerd_dirs[i]);
		scan->dir = dir;
		each_entry(dir, scan_space, scan);
	}
}

void container_files_one(const char *id, container_fn fn, void *ctx)
{
	struct scan scan = { .id = id, .fn = fn, .ctx = ctx };

	if (!is_id(id))
		return;
	read_docker(id, fn, ctx);
	scan_containerd(&scan);
	read_podman(fn, ctx);
}

void container_files_all(container_fn fn, void *ctx)
{
	struct scan scan = { .fn = fn, .ctx = ctx };
	char docker[PATH_MAX];

	snprintf(docker, sizeof(docker), "%s" DOCKER_DIR, host_root());
	each_entry(docker, scan_docker, &scan);
	scan_containerd(&scan);
	read_podman(fn, ctx);
}
