// SPDX-License-Identifier: BSD-2-Clause
/*
 * sys.modules of a running process, from its memory: interpreter states, the dict, the names, and
 * each module's __file__. The process runs on, so anything may change between two reads: every
 * address may be stale, every read may fail, and a type is checked before an object is believed.
 */
#include "interpreters/process/sys_modules.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/cleanup.h"

#define INTERPS_MAX 64
#define ENTRIES_MAX (1u << 20)
#define MODULE_ENTRIES 4096 /* an extension's __file__ comes behind all that it defines */
#define HEAD_ENTRIES 12     /* __file__ of any other module is among the first */
#define TRIES_MAX 5

struct reader {
	const struct inventory_opts *opts;
	const struct pyi_layout *layout;
	__u64 bias;
	__u64 file_key;  /* the interned str "__file__", once it was met */
	__u32 sent_cnt;
	char name[PYI_STR_LARGE], again[PYI_STR_LARGE], file[PYI_STR_LARGE];
};

/* Entries of a dict, read at one moment. */
struct entries {
	char *data;
	size_t cnt, step, key_off; /* the value stands behind the key */
	__u64 keys, first; /* addresses of the table and of its first entry */
};

static void entries_clear(struct entries *entries)
{
	free(entries->data);
}

void inventory_send(const struct inventory_opts *opts, const struct inventory_item *item)
{
	size_t size = sizeof(struct pyi_inventory) + item->name.sz + item->file.sz;
	_cleanup_free_ struct pyi_inventory *rec = calloc(1, size);

	if (!rec)
		return;
	rec->hdr = (struct pyi_hdr){
		.kind = PYI_EV_INVENTORY, .size = size, .flags = item->flags,
		.tgid = opts->tgid, .tid = opts->tgid, .proc = opts->serial,
		.ts_ns = opts->now_ns,
	};
	rec->what = item->what;
	rec->ppid = item->ppid;
	rec->bytes = item->bytes;
	rec->name = item->name;
	rec->file = item->file;
	if (item->name.sz)
		memcpy(rec->text, item->name_text, item->name.sz);
	if (item->file.sz)
		memcpy(rec->text + item->name.sz, item->file_text, item->file.sz);
	opts->on_record(opts->ctx, rec, size);
}

/*
 * Not by /proc/PID/mem: that keeps the process's map of memory locked while a page comes, from a
 * file system that does not answer, say. Whoever sets or removes a uprobe meanwhile waits for it,
 * and every fork of the host waits for him.
 */
static int read_mem(const struct reader *reader, __u64 addr, void *out, size_t sz)
{
	const struct iovec to = { out, sz }, from = { (void *)(uintptr_t)addr, sz };

	if (!addr || addr >> 56)
		return -EFAULT;
	return process_vm_readv(reader->opts->tgid, &to, 1, &from, 1, 0) == (ssize_t)sz ?
		       0 : -EFAULT;
}

static int read_ptr(const struct reader *reader, __u64 addr, __u64 *out)
{
	return read_mem(reader, addr, out, sizeof(*out));
}

/* Is it an object of the type at @type_addr? A type whose address is not known is not checked. */
static bool is_of_type(const struct reader *reader, __u64 obj, __u64 type_addr)
{
	__u64 type;

	return obj && !read_ptr(reader, obj + reader->layout->ob_type, &type) &&
	       (!type_addr || type == type_addr + reader->bias);
}

static bool is_none(const struct reader *reader, __u64 obj)
{
	char name[9] = "";
	__u64 type, name_addr;

	return !read_ptr(reader, obj + reader->layout->ob_type, &type) &&
	       !read_ptr(reader, type + reader->layout->type_name, &name_addr) &&
	       !read_mem(reader, name_addr, name, sizeof(name)) && !memcmp(name, "NoneType", 9);
}

/* At most PYI_STR_LARGE bytes of a str object; @out says how long it is in the process. */
static int read_str(const struct reader *reader, __u64 obj, char *text, struct pyi_str *out)
{
	const struct pyi_layout *layout = reader->layout;
	struct { __u64 length, hash; __u32 state; } head;
	__u64 sz;

	if (!is_of_type(reader, obj, layout->unicode_type_addr) ||
	    read_mem(reader, obj + layout->str_length, &head, 20))
		return -EFAULT;
	out->kind = head.state >> layout->str_kind_shift & 7;
	out->is_ascii = head.state >> layout->str_ascii_shift & 1;
	if ((out->kind != 1 && out->kind != 2 && out->kind != 4) ||
	    !(head.state >> layout->str_compact_shift & 1) || head.length > 1 << 20)
		return -EFAULT;
	sz = head.length * out->kind;
	out->full_chars = head.length;
	out->sz = sz < PYI_STR_LARGE ? sz : PYI_STR_LARGE;
	return out->sz ? read_mem(reader, obj + (out->is_ascii ? layout->str_ascii_data :
							       layout->str_compact_data),
				  text, out->sz) : 0;
}

/* The entry table of a dict in insertion order, at most @max of it. */
static int read_entries(const struct reader *reader, __u64 dict, size_t max, struct entries *out)
{
	const struct pyi_layout *layout = reader->layout;
	unsigned char head[48];
	__u64 cnt, size, start;

	if (!is_of_type(reader, dict, layout->dict_type_addr) ||
	    read_ptr(reader, dict + layout->dict_keys, &out->keys) ||
	    read_mem(reader, out->keys, head, (size_t)layout->keys_indices))
		return -EFAULT;
	memcpy(&cnt, head + layout->keys_indices - 8, sizeof(cnt)); /* dk_nentries */
	out->step = 24;
	out->key_off = 8;
	if (layout->keys_log2_size < 0) { /* up to 3.10: index width follows from the size */
		memcpy(&size, head + layout->keys_size, sizeof(size));
		start = size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : 4);
		if (size > 4ULL * ENTRIES_MAX)
			return -EFAULT;
	} else {
		if (head[layout->keys_log2_index_bytes] > 26)
			return -EFAULT;
		start = 1ULL << head[layout->keys_log2_index_bytes];
		if (head[layout->keys_kind] == 1) { /* all keys are str: no hash stored */
			out->step = 16;
			out->key_off = 0;
		}
	}
	if (cnt > ENTRIES_MAX)
		return -EFAULT;
	out->cnt = cnt < max ? cnt : max;
	out->data = malloc(out->cnt * out->step + 1);
	if (!out->data)
		return -ENOMEM;
	out->first = out->keys + layout->keys_indices + start;
	return out->cnt ? read_mem(reader, out->first, out->data, out->cnt * out->step) : 0;
}

static __u64 entry_word(const struct entries *entries, size_t index, size_t off)
{
	__u64 word;

	memcpy(&word, entries->data + index * entries->step + entries->key_off + off, sizeof(word));
	return word;
}

static bool is_file_key(struct reader *reader, __u64 key)
{
	struct pyi_str str = {};

	if (!key || read_str(reader, key, reader->file, &str) || str.kind != 1 || str.sz != 8 ||
	    memcmp(reader->file, "__file__", 8))
		return false;
	reader->file_key = key;
	return true;
}

/* Names of attributes are interned: one address nearly always, and cheap to look for. */
static __u64 find_file(struct reader *reader, const struct entries *entries)
{
	size_t head_cnt = entries->cnt < HEAD_ENTRIES || !reader->file_key ? entries->cnt :
									     HEAD_ENTRIES;

	for (size_t i = 0; reader->file_key && i < entries->cnt; i++)
		if (entry_word(entries, i, 0) == reader->file_key)
			return entry_word(entries, i, 8);
	for (size_t i = 0; i < head_cnt; i++)
		if (is_file_key(reader, entry_word(entries, i, 0)))
			return entry_word(entries, i, 8);
	return 0;
}

/* __file__ of a module into reader->file. Whatever stands in sys.modules need not be a module. */
static void read_file(struct reader *reader, __u64 module, struct pyi_str *out)
{
	_cleanup_(entries_clear) struct entries entries = {};
	__u64 dict, file;

	if (read_ptr(reader, module + reader->layout->module_name_dict, &dict) ||
	    read_entries(reader, dict, MODULE_ENTRIES, &entries))
		return;
	file = find_file(reader, &entries);
	if (!file || read_str(reader, file, reader->file, out))
		*out = (struct pyi_str){};
}

/*
 * Is a name that was read still the dict's? The process runs on: what it deleted was freed
 * and perhaps used again, and would be a name that never was. An entry is emptied before its name
 * is freed; where the dict has another table by now, the text must at least have stayed.
 */
static bool is_still(struct reader *reader, const struct entries *entries, size_t index,
		     const struct pyi_str *name)
{
	__u64 key = entry_word(entries, index, 0), now;
	struct pyi_str again = {};

	return !read_str(reader, key, reader->again, &again) && again.sz == name->sz &&
	       again.kind == name->kind && !memcmp(reader->again, reader->name, name->sz) &&
	       !read_ptr(reader, entries->first + index * entries->step + entries->key_off, &now) &&
	       now == key;
}

static void send_module(struct reader *reader, const struct entries *entries, size_t index)
{
	__u64 key = entry_word(entries, index, 0), value = entry_word(entries, index, 8);
	struct inventory_item item = {
		.what = PYI_INVENTORY_MODULE, .name_text = reader->name, .file_text = reader->file,
	};

	/* None there forbids the import: it is no module. */
	if (!key || !value || is_none(reader, value) ||
	    read_str(reader, key, reader->name, &item.name) || !item.name.sz)
		return;
	read_file(reader, value, &item.file);
	if (!is_still(reader, entries, index, &item.name))
		return;
	inventory_send(reader->opts, &item);
	reader->sent_cnt++;
}

/* False: the dict got another table while it was read. */
static bool is_unchanged(const struct reader *reader, __u64 dict, const struct entries *entries)
{
	__u64 keys;

	return !read_ptr(reader, dict + reader->layout->dict_keys, &keys) && keys == entries->keys;
}

/*
 * The entry table is read at once and checked to be still in use then; its names are read after.
 * A module that is deleted in between is sent if it can be read still: it was there.
 */
static int read_interp(struct reader *reader, __u64 interp)
{
	_cleanup_(entries_clear) struct entries entries = {};
	int err = -EAGAIN;
	__u64 dict;

	reader->file_key = 0; /* each interpreter interns by itself */
	for (int i = 0; err && i < TRIES_MAX; i++) {
		entries_clear(&entries);
		entries = (struct entries){};
		if (read_ptr(reader, interp + reader->layout->interp_modules, &dict))
			return -EFAULT;
		err = read_entries(reader, dict, ENTRIES_MAX, &entries);
		if (!err && !is_unchanged(reader, dict, &entries))
			err = -EAGAIN;
	}
	if (err)
		return err;
	for (size_t i = 0; i < entries.cnt; i++)
		send_module(reader, &entries, i);
	return 0;
}

static bool is_known(const struct pyi_layout *layout)
{
	return layout->runtime_addr && layout->runtime_interp_head >= 0 &&
	       layout->interp_modules >= 0 && layout->ob_type >= 0 && layout->dict_keys >= 0 &&
	       layout->str_length >= 0 && layout->str_state == layout->str_length + 16 &&
	       layout->keys_indices >= 8 && layout->keys_indices <= 40 &&
	       layout->has & PYI_CHECK_NAME && layout->has & PYI_CHECK_GLOBALS;
}

int inventory_modules(const struct inventory_opts *opts, const struct pyi_layout *layout,
		      __u64 bias)
{
	_cleanup_free_ struct reader *reader = calloc(1, sizeof(*reader));
	struct inventory_item done = { .what = PYI_INVENTORY_MODULES };
	__u64 interp = 0;
	int err;

	if (!reader)
		return -ENOMEM;
	if (!is_known(layout))
		return 0;
	reader->opts = opts;
	reader->layout = layout;
	reader->bias = bias;
	err = read_ptr(reader, layout->runtime_addr + bias + layout->runtime_interp_head, &interp);
	for (int i = 0; !err && interp && i < INTERPS_MAX; i++) {
		if (read_interp(reader, interp))
			done.flags = PYI_F_TRUNC;
		err = read_ptr(reader, interp + layout->interp_next, &interp);
	}
	if (err || interp)
		done.flags = PYI_F_TRUNC;
	if (!reader->sent_cnt)
		return 0; /* nothing could be read: that is no empty sys.modules */
	inventory_send(opts, &done);
	return 0;
}
