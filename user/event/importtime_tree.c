// SPDX-License-Identifier: BSD-2-Clause
/* See importtime_tree.h. */
#include "event/importtime_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"

#define NONE (~0u)
#define START_NS 1 /* 0 would be no time */
#define UNKNOWN_NS (~0ULL)

struct tree_node {
	__u64 wall_ns, children_ns;
	size_t name;               /* offset in tree->names */
	__u32 level, first, next;  /* first child; next sibling */
	__u32 parent;
	__u32 id;
	bool is_apart;             /* its place in the tree is a guess */
};

void tree__free(struct tree *tree)
{
	free(tree->nodes);
	free(tree->open);
	free(tree->names);
}

/* Room for @cnt more items of @item_sz. The address of a pointer of any type is @array. */
static int reserve(void *array, size_t used, size_t cnt, size_t *cap, size_t item_sz)
{
	size_t want = *cap ? *cap : 64;
	void *items;

	if (cnt <= *cap - used)
		return 0;
	while (want - used < cnt)
		want *= 2;
	memcpy(&items, array, sizeof(items));
	items = reallocarray(items, want, item_sz);
	if (!items)
		return -ENOMEM;
	memcpy(array, &items, sizeof(items));
	*cap = want;
	return 0;
}

static struct pyi_hdr header(const struct tree *tree, __u16 kind, size_t size, __u64 ts_ns)
{
	return (struct pyi_hdr){ .kind = kind, .size = size, .tgid = tree->tgid,
				 .tid = tree->tid, .proc = tree->serial, .ts_ns = ts_ns };
}

int tree__begin_process(struct tree *tree, __u32 serial, __u32 tgid, __u32 tid)
{
	struct pyi_hdr log;

	tree->serial = serial;
	tree->tgid = tgid;
	tree->tid = tid;
	tree->now_ns = START_NS;
	log = header(tree, PYI_EV_LOG, sizeof(log), START_NS);
	return tree->fn(tree->ctx, &log, sizeof(log));
}

static int keep_name(struct tree *tree, const char *name, size_t *at)
{
	size_t size = strlen(name) + 1;

	if (reserve(&tree->names, tree->names_sz, size, &tree->names_cap, 1))
		return -ENOMEM;
	*at = tree->names_sz;
	memcpy(tree->names + *at, name, size);
	tree->names_sz += size;
	return 0;
}

/* The open nodes further in than this line are its children: it is the first line after them. */
static void adopt(struct tree *tree, __u32 index)
{
	struct tree_node *node = &tree->nodes[index];

	while (tree->open_cnt && tree->nodes[tree->open[tree->open_cnt - 1]].level > node->level) {
		__u32 child = tree->open[--tree->open_cnt];

		tree->nodes[child].next = node->first;
		tree->nodes[child].parent = index;
		tree->nodes[child].is_apart |= tree->nodes[child].level > node->level + 1;
		node->first = child;
		node->children_ns += tree->nodes[child].wall_ns;
	}
}

int tree__add(struct tree *tree, const struct importtime_line *line)
{
	struct tree_node node = { .wall_ns = (__u64)line->wall_us * 1000, .level = line->level,
				  .first = NONE, .next = NONE, .parent = NONE };

	if (tree->node_cnt >= NONE - 1 || tree->last_id >= NONE - 1)
		return -ENOMEM;
	if (reserve(&tree->nodes, tree->node_cnt, 1, &tree->node_cap, sizeof(node)) ||
	    reserve(&tree->open, tree->open_cnt, 1, &tree->open_cap, sizeof(*tree->open)) ||
	    keep_name(tree, line->name, &node.name))
		return -ENOMEM;
	tree->nodes[tree->node_cnt] = node;
	adopt(tree, tree->node_cnt);
	tree->open[tree->open_cnt++] = tree->node_cnt++;
	return 0;
}

/* Name of at most PYI_STR_LARGE bytes in a record; what is longer is marked as cut. */
static struct pyi_str str_of(const char *name)
{
	size_t size = strlen(name);

	return (struct pyi_str){ .sz = size < PYI_STR_LARGE ? size : PYI_STR_LARGE,
				 .full_chars = size };
}

static int send_begin(struct tree *tree, struct tree_node *node, __u64 ts_ns)
{
	union {
		struct pyi_begin begin;
		char room[sizeof(struct pyi_begin) + PYI_STR_LARGE];
	} rec;
	const char *name = tree->names + node->name;
	size_t size;

	memset(&rec.begin, 0, sizeof(rec.begin));
	rec.begin.name = str_of(name);
	size = sizeof(rec.begin) + rec.begin.name.sz;
	node->id = ++tree->last_id;
	rec.begin.hdr = header(tree, PYI_EV_BEGIN, size, ts_ns);
	if (node->is_apart || node->children_ns > node->wall_ns)
		rec.begin.hdr.flags = PYI_F_APPROX;
	rec.begin.id = node->id;
	rec.begin.parent = node->parent == NONE ? 0 : tree->nodes[node->parent].id;
	rec.begin.span = PYI_SPAN_FIND;
	rec.begin.frame.lasti = -1;
	memcpy(rec.begin.text, name, rec.begin.name.sz);
	return tree->fn(tree->ctx, &rec, size);
}

static int send_end(struct tree *tree, const struct tree_node *node, __u64 ts_ns)
{
	struct pyi_end end = { .id = node->id, .span = PYI_SPAN_FIND };

	end.hdr = header(tree, PYI_EV_END, sizeof(end), ts_ns);
	return tree->fn(tree->ctx, &end, sizeof(end));
}

/* Without recursion: a log may be indented as far as it likes. children_ns becomes the begin. */
static int send_root(struct tree *tree, __u32 root, __u64 start_ns)
{
	__u32 at = root;
	__u64 now_ns = start_ns;
	int err = 0;

	while (!err) {
		struct tree_node *node = &tree->nodes[at];

		err = send_begin(tree, node, now_ns);
		node->children_ns = now_ns;
		if (!err && node->first != NONE) {
			at = node->first;
			continue;
		}
		while (!err) {
			node = &tree->nodes[at];
			now_ns = node->children_ns + node->wall_ns;
			err = send_end(tree, node, now_ns);
			if (at == root || node->next != NONE)
				break;
			at = node->parent;
		}
		if (at == root)
			break;
		at = node->next;
	}
	return err;
}

int tree__flush(struct tree *tree, __u64 *orphans)
{
	int err = 0;

	for (size_t i = 0; i < tree->open_cnt && !err; i++) {
		struct tree_node *root = &tree->nodes[tree->open[i]];

		if (root->level) {
			root->is_apart = true;
			++*orphans;
		}
		err = send_root(tree, tree->open[i], tree->now_ns);
		tree->now_ns += root->wall_ns;
	}
	tree->node_cnt = tree->open_cnt = tree->names_sz = 0;
	return err;
}

/* An import statement that found the module: one run, nothing loaded, by nobody known. */
int tree__cached(struct tree *tree, const char *name)
{
	union {
		struct pyi_edge edge;
		char room[sizeof(struct pyi_edge) + PYI_STR_LARGE];
	} rec;
	struct pyi_edge_count count = { .count = 1, .first_ns = UNKNOWN_NS };
	size_t size;
	int err;

	if (tree->last_id >= NONE - 1)
		return -ENOMEM;
	memset(&rec.edge, 0, sizeof(rec.edge));
	rec.edge.name = str_of(name);
	size = sizeof(rec.edge) + rec.edge.name.sz;
	rec.edge.id = count.id = ++tree->last_id;
	rec.edge.frame.lasti = -1;
	rec.edge.hdr = header(tree, PYI_EV_EDGE, size, UNKNOWN_NS);
	memcpy(rec.edge.text, name, rec.edge.name.sz);
	err = tree->fn(tree->ctx, &rec, size);
	count.hdr = header(tree, PYI_EV_EDGE_COUNT, sizeof(count), UNKNOWN_NS);
	return err ? err : tree->fn(tree->ctx, &count, sizeof(count));
}
