// SPDX-License-Identifier: BSD-2-Clause
/* Which libpython a program will be linked with: DT_NEEDED, resolved as ld.so would. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/elf/elf_file.h"
#include "interpreters/interp.h"
#include "interpreters/process/target_file.h"

#define DYN_MAX_SZ (1u << 20)
#define CONF_MAX_SZ 65536
#define CONF_DIR "/etc/ld.so.conf.d"

static const char *const default_dirs[] = {
#if defined(__x86_64__)
	"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
#elif defined(__aarch64__)
	"/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
#endif
	"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib", "/usr/local/lib64",
};

/* Real ones need some ten tries. */
#define NEEDED_BYTES (16ull << 20)
#define NEEDED_CPU_NS 50000000ULL
#define DIR_COST (32u << 10)

struct needed {
	const char *root;
	char origin[4096];  /* directory of the program, without root */
	const char *soname; /* what we look for */
	char *found;
	struct elf_budget budget;
};

static bool is_elf(struct needed *needed, const char *path)
{
	_cleanup_close_ int fd = -1;
	_cleanup_(elf__freep) struct elf *elf = NULL;

	/* A search path has as many directories as somebody likes. */
	if (!elf_budget__spend(&needed->budget, DIR_COST))
		return false;
	fd = target_open(needed->root, path);

	/* ld.so passes over files of another machine, and so do we. */
	return fd >= 0 && !elf__open_headers(fd, &needed->budget, &elf);
}

static bool try_dir(struct needed *needed, const char *dir, size_t dir_len)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%.*s/%s", (int)dir_len, dir, needed->soname) < 0) {
		path = NULL;
		return false;
	}
	if (!is_elf(needed, path))
		return false;
	needed->found = TAKE_PTR(path);
	return true;
}

/* One directory of a search path, in which $ORIGIN stands for the program's own. */
static bool try_runpath_dir(struct needed *needed, const char *dir, size_t len)
{
	static const char *const origins[] = { "$ORIGIN", "${ORIGIN}" };

	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ char *full = NULL;
		size_t token_len = strlen(origins[i]);
		const char *at = memmem(dir, len, origins[i], token_len);

		if (!at)
			continue;
		if (asprintf(&full, "%.*s%s%.*s", (int)(at - dir), dir, needed->origin,
			     (int)(dir + len - at - token_len), at + token_len) < 0) {
			full = NULL;
			return false;
		}
		return try_dir(needed, full, strlen(full));
	}
	return len && try_dir(needed, dir, len);
}

static bool try_path(struct needed *needed, const char *path)
{
	while (path) {
		const char *colon = strchrnul(path, ':');

		if (try_runpath_dir(needed, path, colon - path))
			return true;
		path = *colon ? colon + 1 : NULL;
	}
	return false;
}

/* Directories listed in one file of /etc/ld.so.conf.d, one per line. */
static bool try_conf(struct needed *needed, const char *path)
{
	_cleanup_close_ int fd = target_open(needed->root, path);
	_cleanup_free_ char *text = malloc(CONF_MAX_SZ);
	ssize_t n;

	if (fd < 0 || !text)
		return false;
	n = read(fd, text, CONF_MAX_SZ - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t len = strcspn(line, " \t#");

		if (line[0] == '/' && try_dir(needed, line, len))
			return true;
	}
	return false;
}

static bool try_conf_dir(struct needed *needed)
{
	DIR *dir = target_open_dir(needed->root, CONF_DIR);
	struct dirent *entry;
	bool is_found = false;

	while (dir && !is_found && (entry = readdir(dir))) {
		_cleanup_free_ char *path = NULL;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&path, CONF_DIR "/%s", entry->d_name) < 0) {
			path = NULL;
			break;
		}
		is_found = try_conf(needed, path);
	}
	if (dir)
		closedir(dir);
	return is_found;
}

static void set_origin(struct needed *needed, const char *exe_path)
{
	char *slash;

	snprintf(needed->origin, sizeof(needed->origin), "%s", exe_path ? exe_path : "");
	slash = strrchr(needed->origin, '/');
	if (slash)
		*slash = '\0';
	else
		snprintf(needed->origin, sizeof(needed->origin), ".");
}


struct dynamic {
	const char *soname, *rpath, *runpath;
	char *strs; /* owned: what the others point into */
};

static void dynamic_free(struct dynamic *dynamic)
{
	free(dynamic->strs);
}

static int read_dynamic(const struct elf *elf, struct dynamic *out)
{
	_cleanup_free_ Elf64_Dyn *dyn = NULL;
	__u64 off, str_addr = 0, str_sz = 0, str_off;
	size_t cnt = elf->dynamic_sz / sizeof(*dyn);

	if (!elf->dynamic_addr || elf->dynamic_sz > DYN_MAX_SZ ||
	    elf__addr_to_off(elf, elf->dynamic_addr, &off))
		return -ENOENT;
	dyn = malloc(elf->dynamic_sz + 1);
	if (!dyn)
		return -ENOMEM;
	if (elf__pread(elf, dyn, cnt * sizeof(*dyn), off))
		return -ENOENT;
	for (size_t i = 0; i < cnt; i++) {
		if (dyn[i].d_tag == DT_STRTAB)
			str_addr = dyn[i].d_un.d_ptr;
		else if (dyn[i].d_tag == DT_STRSZ)
			str_sz = dyn[i].d_un.d_val;
	}
	if (!str_addr || str_sz > ELF_MAX_SYMS_SZ || elf__addr_to_off(elf, str_addr, &str_off))
		return -ENOENT;
	out->strs = calloc(1, str_sz + 1);
	if (!out->strs)
		return -ENOMEM;
	if (elf__pread(elf, out->strs, str_sz, str_off))
		return -ENOENT;
	for (size_t i = 0; i < cnt && dyn[i].d_tag != DT_NULL; i++) {
		__u64 str_pos = dyn[i].d_un.d_val;
		const char *str = str_pos < str_sz ? out->strs + str_pos : NULL;

		if (!str)
			continue;
		if (dyn[i].d_tag == DT_NEEDED && !strchr(str, '/') &&
		    (!strncmp(str, "libpython", 9) || !strncmp(str, "libpypy", 7)))
			out->soname = str;
		else if (dyn[i].d_tag == DT_RPATH)
			out->rpath = str;
		else if (dyn[i].d_tag == DT_RUNPATH)
			out->runpath = str;
	}
	return out->soname ? 0 : -ENOENT;
}

static bool resolve(struct needed *needed, const struct dynamic *dynamic)
{
	/*
	 * The program's own LD_LIBRARY_PATH cannot be known before it runs. One we launch inherits
	 * ours; for others its mapping is found when it is there.
	 */
	const char *env = needed->root[0] ? NULL : getenv("LD_LIBRARY_PATH");

	if (!dynamic->runpath && try_path(needed, dynamic->rpath))
		return true;
	if (try_path(needed, env) || try_path(needed, dynamic->runpath) || try_conf_dir(needed))
		return true;
	for (size_t i = 0; i < sizeof(default_dirs) / sizeof(default_dirs[0]); i++) {
		if (try_dir(needed, default_dirs[i], strlen(default_dirs[i])))
			return true;
	}
	return false;
}

int interp_needed_libpython(int fd, const char *exe_path, const char *root, char **out)
{
	_cleanup_(elf__freep) struct elf *elf = NULL;
	_cleanup_(dynamic_free) struct dynamic dynamic = {};
	struct needed needed = { .root = root ? root : "" };
	int err;

	elf_budget__init(&needed.budget, NEEDED_BYTES, NEEDED_CPU_NS);
	err = elf__open_headers(fd, &needed.budget, &elf);
	if (err)
		return err == -ENOMEM ? err : -ENOENT;
	err = read_dynamic(elf, &dynamic);
	if (err)
		return err;
	needed.soname = dynamic.soname;
	set_origin(&needed, exe_path);
	if (!resolve(&needed, &dynamic))
		return -ENOENT;
	*out = needed.found;
	return 0;
}
