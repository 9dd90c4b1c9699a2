// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files: what is looked for, opened, read and mapped, and what of it came from disk. Everything
 * is counted at the end of the call, when the arguments are still in its registers, the result
 * is known and the path has been read by the kernel; the begin gives the time alone. Counted per
 * (image, span, path), so that sums by module and by file are both exact.
 */
#include "core/io.bpf.h"

#define AT_FDCWD -100
#define AT_EMPTY_PATH 0x1000
#define EEXIST 17
#define EINVAL 22
#define O_WRITING 3 /* O_WRONLY | O_RDWR */
#define MAP_ANONYMOUS 0x20
#define PROT_READ 1
#define PROT_EXEC 4
#define BDEVFS_MAGIC 0x62646576
#define REQ_OP_MASK 255 /* of bi_opf; 0 is a read */
#define BIO_CLONED 1    /* an unnamed enum: the same from 5.15 to 7.0 */

__u32 file_cnt = 0; /* entries made: user space empties the map before it is full */

static const struct pyi_file_value no_value = {};
bool has_more_files = false; /* the map at hand was full once */

static __always_inline struct pyi_file_value *file_find(const struct pyi_file_key *key)
{
	struct pyi_file_value *value = bpf_map_lookup_elem(&files, key);

	return value || !has_more_files ? value : bpf_map_lookup_elem(&more_files, key);
}

static __always_inline struct pyi_file_value *file_add(const struct pyi_file_key *key)
{
	struct pyi_file_value *value;

	bpf_map_update_elem(&files, key, &no_value, BPF_NOEXIST);
	value = bpf_map_lookup_elem(&files, key);
	if (value)
		return value;
	has_more_files = true;
	bpf_map_update_elem(&more_files, key, &no_value, BPF_NOEXIST);
	return bpf_map_lookup_elem(&more_files, key);
}

/* Counters of (image, span, @path), all zero when new. */
static __always_inline struct pyi_file_value *file_entry(struct io *io, u64 path)
{
	struct pyi_file_key key = { .path = path, .serial = io->serial, .span = io->span,
				    .parity = charge_parity };
	struct pyi_file_value *value = file_find(&key);

	if (value)
		return value;
	if (path_send(io, path)) {
		key.path = PYI_KEY_REST;
		value = file_find(&key);
		if (value)
			return value;
	}
	value = file_add(&key);
	if (!value) {
		count_loss(files_full);
		return NULL;
	}
	__sync_fetch_and_add(&file_cnt, 1);
	value->first_ns = io->now;
	value->tid = bpf_get_current_pid_tgid();
	return value;
}

static __always_inline bool is_path_call(u32 call)
{
	return call >= PYI_CALL_OPEN && call <= PYI_CALL_MKDIRAT;
}

/* Key of the path a call was given. A descriptor alone (fstat by newfstatat) has an empty one. */
__noinline u64 call_path(struct io *io)
{
	u64 path;
	u32 call;
	bool is_at;

	if (!io)
		return 0;
	call = io->call;
	is_at = call == PYI_CALL_OPENAT || call == PYI_CALL_OPENAT2 || call == PYI_CALL_STATAT ||
		call == PYI_CALL_READLINKAT || call == PYI_CALL_MKDIRAT;
	path = path_given(io, is_at ? io->args[1] : io->args[0],
			  is_at && (s32)io->args[0] != AT_FDCWD ? PYI_PATH_BELOW : PYI_PATH_GIVEN);
	if (!is_at || path <= PYI_KEY_UNREADABLE)
		return path;
	if (!io->rec.sz && call == PYI_CALL_STATAT && (s32)io->args[0] >= 0) {
		io->call = PYI_CALL_FSTAT;
		return path_of_fd(io, io->args[0]);
	}
	return path;
}

/* What was opened tells more than how it was called. */
__noinline u64 opened_path(struct io *io, u64 path)
{
	u32 kind;

	if (!io || io->ret < 0)
		return path;
	io->id.mode = 0;
	if (fd_id(io, io->ret))
		return path;
	kind = io->id.mode & S_KIND;
	if (kind != S_REGULAR && kind != S_DIRECTORY)
		return path;
	if (io->rec.kind == PYI_PATH_BELOW || path <= PYI_KEY_UNREADABLE)
		path = path_of_dentry(io, io->id.dentry);
	path_opened(io, path);
	return path;
}

__noinline u64 find_path(struct io *io)
{
	u64 path;

	if (!io)
		return 0;
	switch (io->call) {
	case PYI_CALL_OPEN:
	case PYI_CALL_OPENAT:
	case PYI_CALL_OPENAT2:
	case PYI_CALL_CREAT:
		path = call_path(io);
		return opened_path(io, path);
	case PYI_CALL_STAT:
	case PYI_CALL_STATAT:
	case PYI_CALL_READLINK:
	case PYI_CALL_READLINKAT:
	case PYI_CALL_MKDIR:
	case PYI_CALL_MKDIRAT:
		return call_path(io);
	case PYI_CALL_MMAP:
		return io->args[3] & MAP_ANONYMOUS ? 0 : path_of_fd(io, io->args[4]);
	case PYI_CALL_SENDFILE:
		return path_of_fd(io, io->args[1]);
	case PYI_CALL_MPROTECT:
		return 0;
	}
	return path_of_fd(io, io->args[0]);
}

static __always_inline void note_id(const struct io *io, struct pyi_file_value *value)
{
	u32 kind = io->id.mode & S_KIND;

	value->ino = io->id.ino;
	value->dev = io->id.dev;
	value->size = io->id.size;
	value->flags |= (kind == S_DIRECTORY ? PYI_FILE_DIR : 0) |
			(kind == S_REGULAR ? PYI_FILE_REGULAR : 0) |
			(io->id.is_remote ? PYI_FILE_REMOTE : 0);
}

#define add(field, n) __sync_fetch_and_add(&value->field, (n))

static __always_inline void count_path(const struct io *io, struct pyi_file_value *value)
{
	bool is_open = io->call <= PYI_CALL_CREAT, is_miss = io->ret < 0;
	u64 flags = io->call == PYI_CALL_OPEN ? io->args[1] : io->args[2];

	if (io->call >= PYI_CALL_MKDIR) { /* tells why there is no __pycache__; counts as nothing */
		value->flags |= is_miss && io->ret != -EEXIST ? PYI_FILE_UNWRITABLE : 0;
		return;
	}
	/* readlink on what is no link has found it. */
	if (io->call >= PYI_CALL_READLINK && io->ret == -EINVAL)
		is_miss = false;
	if (is_open) {
		add(opens, 1);
		if (is_miss)
			add(open_misses, 1);
		else
			note_id(io, value);
		if (io->call == PYI_CALL_CREAT ||
		    (io->call != PYI_CALL_OPENAT2 && flags & O_WRITING))
			value->flags |= is_miss ? PYI_FILE_UNWRITABLE : PYI_FILE_WRITTEN;
	} else {
		add(stats, 1);
		if (is_miss)
			add(stat_misses, 1);
	}
	if (is_miss)
		add(miss_ns, io->ns);
	else
		add(search_ns, io->ns);
}

static __always_inline void count_fd(const struct io *io, struct pyi_file_value *value)
{
	u64 sz = io->ret > 0 ? io->ret : 0;

	note_id(io, value);
	switch (io->call) {
	case PYI_CALL_FSTAT:
		add(stats, 1);
		add(search_ns, io->ns);
		return;
	case PYI_CALL_GETDENTS:
		add(dirs_read, io->ret == 0);
		add(search_ns, io->ns);
		return;
	case PYI_CALL_READ:
	case PYI_CALL_SENDFILE:
	case PYI_CALL_COPY_RANGE:
		add(bytes_read, sz);
		break;
	case PYI_CALL_WRITE:
		value->flags |= PYI_FILE_WRITTEN;
		add(bytes_written, sz);
		break;
	case PYI_CALL_MMAP:
		add(mapped, io->args[1]);
		value->flags |= (io->args[2] & PROT_EXEC ? PYI_FILE_EXEC : 0) |
				(io->in_link ? PYI_FILE_IN_LINK : 0);
		break;
	}
	add(io_ns, io->ns);
	if (io->read_bytes)
		add(bytes_disk, io->read_bytes);
}

/* The stages of a dlopen by the interpreter; what is mapped after relocation is constructors'. */
static __always_inline void count_link(const struct io *io)
{
	struct pyi_link_value none = { .serial = io->serial }, *link;
	u32 span = io->span;

	link = bpf_map_lookup_elem(&links, &span);
	if (!link) {
		none.tid = bpf_get_current_pid_tgid();
		bpf_map_update_elem(&links, &span, &none, BPF_NOEXIST);
		link = bpf_map_lookup_elem(&links, &span);
	}
	if (!link) {
		count_loss(files_full);
		return;
	}
	if (io->call == PYI_CALL_MPROTECT) {
		if (io->args[2] == PROT_READ && link->mapped_ns)
			link->relro_ns = io->now;
		return;
	}
	if (link->relro_ns)
		return;
	if (io->call == PYI_CALL_MMAP)
		link->mapped_ns = io->now;
	else
		link->open_ns += io->ns;
}

__noinline int file_call(struct io *io)
{
	struct pyi_file_value *value;
	u64 path;

	if (!io)
		return 0;
	io_set_span(io);
	if (io->in_link)
		count_link(io);
	if (io->ret < 0 && !is_path_call(io->call))
		return 0;
	io->id.sk = 0;
	path = find_path(io);
	if (io->id.sk && (io->call == PYI_CALL_READ || io->call == PYI_CALL_WRITE))
		return sock_moved(io, io->id.sk);
	if (!path)
		return 0;
	value = file_entry(io, path);
	if (!value)
		return 0;
	value->last_ns = io->now;
	if (is_path_call(io->call))
		count_path(io, value);
	else
		count_fd(io, value);
	return 0;
}

/* Charges @sz bytes from disk to the file that the block layer is asked for. */
__noinline int disk_read(struct io *io, u64 inode, u32 sz)
{
	struct pyi_file_value *value;
	u64 path;

	if (!io)
		return 0;
	io->is_text_fresh = 0;
	io->now = bpf_ktime_get_ns();
	io_set_span(io);
	if (BPF_CORE_READ((struct inode *)inode, i_sb, s_magic) == BDEVFS_MAGIC) {
		path = PYI_KEY_META;
	} else if (io->call == PYI_CALL_READ || io->call == PYI_CALL_SENDFILE) {
		io->read_bytes += sz; /* the descriptor tells the file, through overlayfs too */
		return 0;
	} else {
		path = path_of_inode(io, inode);
	}
	value = file_entry(io, path);
	if (value)
		add(bytes_disk, sz);
	return 0;
}

/*
 * A read leaves for a block device in the thread that wants it: read(2), page faults and
 * readahead alike. What device mapper makes of it are clones, which count no second time.
 */
SEC("?tp_btf/block_bio_queue")
int BPF_PROG(disk_queue, struct bio *bio)
{
	struct page *page;
	struct io *io;
	u64 head;

	if (bio->bi_opf & REQ_OP_MASK)
		return 0;
	io = io_now();
	if (!io || bio->bi_flags & 1U << BIO_CLONED)
		return 0;
	page = BPF_CORE_READ(bio, bi_io_vec, bv_page);
	head = bpf_core_field_exists(page->compound_head) ? BPF_CORE_READ(page, compound_head) : 0;
	if (head & 1)
		page = (struct page *)(head - 1);
	disk_read(io, (u64)BPF_CORE_READ(page, mapping, host), bio->bi_iter.bi_size);
	return 0;
}
