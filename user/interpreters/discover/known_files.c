// SPDX-License-Identifier: BSD-2-Clause
/*
 * A file is known by device, inode, size and change time. On overlayfs a copy-up keeps the merged
 * inode number, but not the time.
 */
#include "interpreters/discover/known_files.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "interpreters/discover/discover.h"

#define BUCKETS 1024
#define OTHERS_MAX 65536 /* a host that builds programs makes new ones for as long as we trace */

struct known_file {
	struct known_file *next;
	struct file_key key;
	int verdict;
};

struct known_files {
	pthread_mutex_t lock;
	struct known_file *heads[BUCKETS];
	size_t other_cnt; /* of no interest */
};

int known_files__new(struct known_files **out)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	pthread_mutex_init(&(*out)->lock, NULL);
	return 0;
}

void known_files__free(struct known_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		struct known_file *file;

		while ((file = files->heads[i])) {
			files->heads[i] = file->next;
			free(file);
		}
	}
	pthread_mutex_destroy(&files->lock);
	free(files);
}

int known_files_key(int fd, struct file_key *key)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*key = (struct file_key){ .dev = st.st_dev, .ino = st.st_ino, .size = st.st_size,
				  .ctime_ns = st.st_ctim.tv_sec * 1000000000ULL +
					      st.st_ctim.tv_nsec };
	return 0;
}

static size_t bucket_of(const struct file_key *key)
{
	return ((key->dev * 31 + key->ino) * 0x9e3779b97f4a7c15ULL) >> 54;
}
_Static_assert(BUCKETS == 1 << (64 - 54), "bucket_of yields 10 bits");

int known_files__find(struct known_files *files, const struct file_key *key)
{
	const struct known_file *file;
	int verdict;

	pthread_mutex_lock(&files->lock);
	file = files->heads[bucket_of(key)];
	while (file && memcmp(&file->key, key, sizeof(*key)))
		file = file->next;
	verdict = file ? file->verdict : -ENOENT;
	pthread_mutex_unlock(&files->lock);
	return verdict;
}

/* Under the lock. They are looked at once more if they run again; interpreters stay known. */
static void forget_others(struct known_files *files)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct known_file **link = &files->heads[i], *file;

		while ((file = *link)) {
			if (file->verdict != DISCOVER_NOTHING) {
				link = &file->next;
				continue;
			}
			*link = file->next;
			free(file);
		}
	}
	files->other_cnt = 0;
}

void known_files__add(struct known_files *files, const struct file_key *key, int verdict)
{
	struct known_file **head = &files->heads[bucket_of(key)];
	struct known_file *file = malloc(sizeof(*file));

	if (!file)
		return;
	pthread_mutex_lock(&files->lock);
	if (verdict == DISCOVER_NOTHING && files->other_cnt++ == OTHERS_MAX) {
		forget_others(files);
		files->other_cnt = 1;
	}
	*file = (struct known_file){ .next = *head, .key = *key, .verdict = verdict };
	*head = file;
	pthread_mutex_unlock(&files->lock);
}

void unexamined_add(struct discover_unexamined *all, const char *path)
{
	all->cnt++;
	if (all->path_cnt < sizeof(all->paths) / sizeof(all->paths[0])) {
		all->paths[all->path_cnt] = strdup(path);
		all->path_cnt += all->paths[all->path_cnt] != NULL;
	}
}

void unexamined_clear(struct discover_unexamined *all)
{
	for (size_t i = 0; i < all->path_cnt; i++)
		free(all->paths[i]);
}
