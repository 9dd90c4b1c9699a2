// SPDX-License-Identifier: BSD-2-Clause
/* See users.h. All is of one thread. */
#include "agent/http/users.h"

#include <crypt.h>
#include <errno.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#define USERS_MAX 1000
#define LINE_SZ 1024
#define REFUSED_NS 1000000000ULL

struct user {
	char *name, *hash;
};

struct users {
	struct user all[USERS_MAX];
	size_t cnt;
	struct crypt_data crypt;
	char *last_name, *last_password; /* that were right; NULL: none were yet */
	__u64 refused_ns;                /* when a wrong password was looked at; 0 = never */
};

void users__free(struct users *users)
{
	if (!users)
		return;
	for (size_t i = 0; i < users->cnt; i++) {
		free(users->all[i].name);
		free(users->all[i].hash);
	}
	free(users->last_name);
	free(users->last_password);
	free(users);
}

static int add(struct users *users, const char *line)
{
	const char *colon = strchr(line, ':');
	struct user user;

	/* Others are quickly guessed: MD5, or one round of SHA-1. */
	if (!colon || colon == line || strncmp(colon + 1, "$2", 2) || strlen(colon + 1) != 60 ||
	    users->cnt == USERS_MAX)
		return -EINVAL;
	user = (struct user){ strndup(line, (size_t)(colon - line)), strdup(colon + 1) };
	users->all[users->cnt++] = user;
	return user.name && user.hash ? 0 : -ENOMEM;
}

int users__read(const char *path, struct users **out)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	struct users *users;
	char line[LINE_SZ];
	int err = 0;

	if (!in)
		return log_err(-errno, "--auth-file: cannot open %s", path);
	users = calloc(1, sizeof(*users));
	if (!users)
		return -ENOMEM;
	while (!err && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] && line[0] != '#')
			err = add(users, line);
	}
	if (!err && !users->cnt)
		err = -EINVAL;
	if (err) {
		users__free(users);
		if (err == -EINVAL) {
			log_err(0, "--auth-file: %s: not lines of NAME:HASH with bcrypt", path);
			log_hint("htpasswd -B -c %s NAME", path);
		}
		return err;
	}
	*out = users;
	return 0;
}

/* In a time that does not tell how much of it is right. */
static bool is_same(const char *right, const char *text)
{
	size_t sz = strlen(text), right_sz = strlen(right);
	unsigned char differs = sz != right_sz;

	for (size_t i = 0; i < sz; i++)
		differs |= (unsigned char)(right[i < right_sz ? i : right_sz] ^ text[i]);
	return !differs;
}

/* A name that is not there takes as long as one that is. */
static bool check(struct users *users, const char *name, const char *password)
{
	const struct user *user = NULL;
	const char *got;

	for (size_t i = 0; i < users->cnt; i++)
		if (!strcmp(users->all[i].name, name))
			user = &users->all[i];
	got = crypt_r(password, user ? user->hash : users->all[0].hash, &users->crypt);
	return got && user && is_same(user->hash, got);
}

static void remember(char **slot, const char *text)
{
	free(*slot);
	*slot = strdup(text);
}

bool users__allow(struct users *users, const char *name, const char *password)
{
	__u64 now_ns = clock_ns();

	if (users->last_name && users->last_password && is_same(users->last_name, name) &&
	    is_same(users->last_password, password))
		return true;
	if (users->refused_ns && now_ns < users->refused_ns + REFUSED_NS)
		return false;
	if (!check(users, name, password)) {
		users->refused_ns = clock_ns();
		return false;
	}
	users->refused_ns = 0;
	remember(&users->last_name, name);
	remember(&users->last_password, password);
	return true;
}
