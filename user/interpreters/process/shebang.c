// SPDX-License-Identifier: BSD-2-Clause
/* PATH search and script lines; see shebang.h. Reads files, starts nothing. */
#include "interpreters/process/shebang.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <paths.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "interpreters/process/target_file.h"

#define HEAD_SZ 256 /* what the kernel reads of a script's first line */

static int check_program(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	/* Not access(2): as root that says yes to other people's scripts too, as exec does. */
	return st.st_mode & 0111 ? 0 : -EACCES;
}

static int copy_out(const char *text, size_t sz, char **out)
{
	char *copy = strndup(text, sz);

	if (!copy)
		return -ENOMEM;
	*out = copy;
	return 0;
}

int shebang_search(const char *name, const char *path, char **out)
{
	char full[PATH_MAX];
	int err, worst = -ENOENT;

	if (!*name)
		return -ENOENT;
	if (strchr(name, '/')) {
		err = check_program(name);
		return err ? err : copy_out(name, strlen(name), out);
	}
	if (!path)
		path = _PATH_DEFPATH;
	for (;;) {
		size_t sz = strcspn(path, ":");

		/* An empty entry means the current directory. */
		if (snprintf(full, sizeof(full), "%.*s%s%s", (int)sz, path, sz ? "/" : "./",
			     name) < (int)sizeof(full)) {
			err = check_program(full);
			if (!err)
				return copy_out(full, strlen(full), out);
			if (err == -EACCES)
				worst = -EACCES;
		}
		if (!path[sz])
			return worst;
		path += sz + 1;
	}
}

/* The next word of [*text, end), empty at the end. */
static size_t next_word(const char **text, const char *end)
{
	const char *word = *text;

	while (word < end && (*word == ' ' || *word == '\t'))
		word++;
	*text = word;
	while (word < end && *word != ' ' && *word != '\t')
		word++;
	return word - *text;
}

static bool word_is(const char *word, size_t sz, const char *text)
{
	return sz == strlen(text) && !memcmp(word, text, sz);
}

/*
 * What env would run: the first word that is neither option nor assignment. -S and its long form
 * may be glued to the text they split; -u, -C and their long forms take the next word.
 */
static int parse_env(const char *text, const char *end, char **program)
{
	size_t sz;

	while ((sz = next_word(&text, end))) {
		if (sz > 2 && !memcmp(text, "-S", 2)) {
			text += 2;
			continue;
		}
		if (sz > 15 && !memcmp(text, "--split-string=", 15)) {
			text += 15;
			continue;
		}
		if (word_is(text, sz, "-u") || word_is(text, sz, "-C")) {
			text += sz;
			text += next_word(&text, end);
			continue;
		}
		if (*text != '-' && !memchr(text, '=', sz))
			return copy_out(text, sz, program);
		text += sz;
	}
	return -EINVAL;
}

int shebang_parse(const char *head, size_t sz, char **program)
{
	const char *text = head + 2, *end, *base;
	size_t word_sz;

	if (sz < 2 || memcmp(head, "#!", 2))
		return -ENOENT;
	end = memchr(text, '\n', sz - 2);
	if (!end)
		end = head + sz;
	if (memchr(text, '\0', end - text))
		end = memchr(text, '\0', end - text);
	word_sz = next_word(&text, end);
	if (!word_sz)
		return -EINVAL;
	base = memrchr(text, '/', word_sz);
	base = base ? base + 1 : text;
	if (word_is(base, text + word_sz - base, "env"))
		return parse_env(text + word_sz, end, program);
	return copy_out(text, word_sz, program);
}

static int read_head(const char *path, char *head, size_t *sz)
{
	_cleanup_close_ int fd = target_open("", path);
	ssize_t got;

	if (fd < 0)
		return fd;
	got = pread(fd, head, HEAD_SZ, 0);
	if (got < 0)
		return -errno;
	*sz = got;
	return 0;
}

int shebang_resolve(const char *name, const char *path, char **out)
{
	_cleanup_free_ char *program = strdup(name);
	char head[HEAD_SZ];
	size_t sz = 0;
	int err;

	if (!program)
		return -ENOMEM;
	for (int i = 0; i <= SHEBANG_MAX; i++) {
		_cleanup_free_ char *file = NULL;
		char *next = NULL;

		err = shebang_search(program, path, &file);
		if (!err)
			err = read_head(file, head, &sz);
		if (err)
			return err;
		err = shebang_parse(head, sz, &next);
		if (err == -ENOENT) {
			*out = TAKE_PTR(file);
			return 0;
		}
		if (err)
			return err;
		free(program);
		program = next;
	}
	return -ELOOP;
}
