// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of files. A path is known by a hash of its text; the text is sent once per trace. What a
 * program opens keeps the name it was opened by, found again through the inode; files that were
 * open before we came, or that the kernel itself opened, are named by their dentries.
 */
#include "core/io.bpf.h"
#include "core/slots.bpf.h"

#define MAX_COMPONENTS 40
#define HASH_BLOCK 8 /* words a function looks at: with 64 the verifier took 0.1 s more */
#define HASH_PRIME 0x9e3779b97f4a7c15ULL

/* Goes on with the hash @seed over the words of the text from @from; @sz bytes in all. */
__noinline u64 hash_block(struct io *io, u64 seed, u32 from, u32 sz)
{
	u64 hash = seed, word;
	u32 at, left;

	if (!io)
		return 0;
	for (u32 i = 0; i < HASH_BLOCK; i++) {
		at = (from + i) * 8;
		if (at >= sz)
			break;
		left = sz - at;
		at &= PYI_PATH_SZ - 8;
		word = *(u64 *)&io->text[at];
		if (left < 8) /* what follows is of an older path */
			word &= (1ULL << (left * 8)) - 1;
		hash = (hash ^ word) * HASH_PRIME;
		hash ^= hash >> 29;
	}
	return hash;
}

/* Key of the @sz bytes of text; sets up the record that would send them. */
__noinline u64 path_key(struct io *io, u32 kind, u32 sz)
{
	u64 hash = HASH_PRIME * (kind + 1);

	if (!io)
		return 0;
	for (u32 i = 0; i < PYI_PATH_SZ / 8 / HASH_BLOCK; i++) {
		if (i * HASH_BLOCK * 8 >= sz)
			break;
		hash = hash_block(io, hash, i * HASH_BLOCK, sz);
	}
	hash ^= hash >> 32;
	if (hash < 16) /* those below stand for no path */
		hash += 16;
	io->rec.key = hash;
	io->rec.kind = kind;
	io->rec.sz = sz;
	io->is_text_fresh = 1;
	return hash;
}

__noinline u64 path_given(struct io *io, u64 addr, u32 kind)
{
	long sz;

	if (!io)
		return 0;
	/* The kernel has just read it: its page is there. */
	sz = bpf_probe_read_user_str(io->text, PYI_PATH_SZ, (void *)addr);
	if (sz <= 0)
		return PYI_KEY_UNREADABLE;
	if (sz > 1 && io->text[0] == '/')
		kind = PYI_PATH_GIVEN;
	return path_key(io, kind, sz - 1);
}

__noinline u64 path_of_dentry(struct io *io, u64 addr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct dentry *dentry = (struct dentry *)addr, *parent;
	u64 root = (u64)task->fs->root.dentry;
	u32 at = 0, len;

	if (!io || !addr)
		return PYI_KEY_UNREADABLE;
	for (int i = 0; i < MAX_COMPONENTS; i++) {
		parent = BPF_CORE_READ(dentry, d_parent);
		if (!parent || parent == dentry || (u64)dentry == root)
			break;
		len = BPF_CORE_READ(dentry, d_name.len);
		if (len > 255 || at + len + 1 > PYI_PATH_SZ)
			break;
		at &= PYI_PATH_SZ - 1;
		len &= 255;
		bpf_probe_read_kernel(&io->text[at], len, BPF_CORE_READ(dentry, d_name.name));
		at += len;
		io->text[at & (PYI_PATH_SZ - 1)] = 0;
		at++;
		dentry = parent;
	}
	return path_key(io, PYI_PATH_REVERSED, at);
}

/* The name of an inode that nobody opened while we looked. */
__noinline u64 path_of_inode(struct io *io, u64 addr)
{
	struct inode *inode = (struct inode *)addr;
	struct inode_key key = {};
	u64 first, *known, path;

	if (cfg_sums)
		return PYI_KEY_REST;
	if (!io || inode_id(io, addr))
		return PYI_KEY_UNREADABLE;
	key.ino = io->id.ino;
	key.dev = io->id.dev;
	known = bpf_map_lookup_elem(&inodes, &key);
	if (known)
		return *known;
	first = (u64)BPF_CORE_READ(inode, i_dentry.first);
	if (!first || !bpf_core_field_exists(((struct dentry *)0)->d_u.d_alias))
		return PYI_KEY_UNREADABLE;
	path = path_of_dentry(io, first - bpf_core_field_offset(struct dentry, d_u.d_alias));
	path_opened(io, path);
	return path;
}

__noinline int inode_id(struct io *io, u64 addr)
{
	struct inode *inode = (struct inode *)addr;
	struct super_block *sb;

	if (!io || !inode)
		return -1;
	io->id.inode = addr;
	io->id.mode = BPF_CORE_READ(inode, i_mode);
	if ((io->id.mode & S_KIND) == S_SOCKET)
		return 0;
	sb = BPF_CORE_READ(inode, i_sb);
	io->id.ino = BPF_CORE_READ(inode, i_ino);
	io->id.size = BPF_CORE_READ(inode, i_size);
	io->id.dev = BPF_CORE_READ(sb, s_dev);
	io->id.is_remote = !BPF_CORE_READ(sb, s_bdev);
	return 0;
}

__noinline int fd_id(struct io *io, u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *fdt;
	struct file *file = NULL, **slot;
	struct socket *sock;

	if (!io)
		return -1;
	fdt = task->files->fdt; /* the verifier knows these pointers: plain loads */
	if (fd >= fdt->max_fds)
		return -1;
	slot = fdt->fd;
	if (bpf_probe_read_kernel(&file, sizeof(file), slot + fd) || !file)
		return -1;
	io->id.dentry = (u64)BPF_CORE_READ(file, f_path.dentry);
	io->id.sk = 0;
	if (inode_id(io, (u64)BPF_CORE_READ(file, f_inode)))
		return -1;
	if ((io->id.mode & S_KIND) == S_SOCKET) {
		sock = BPF_CORE_READ(file, private_data);
		io->id.sk = (u64)BPF_CORE_READ(sock, sk);
		io->id.sock_type = BPF_CORE_READ(sock, type);
	}
	return 0;
}

__noinline int path_opened(struct io *io, u64 path)
{
	struct inode_key key = {};

	if (!io || path <= PYI_KEY_UNREADABLE)
		return 0;
	key.ino = io->last_ino = io->id.ino;
	key.dev = io->last_dev = io->id.dev;
	io->last_path = path;
	return bpf_map_update_elem(&inodes, &key, &path, BPF_ANY);
}

__noinline u64 path_of_fd(struct io *io, u32 fd)
{
	struct inode_key key = {};
	u64 *known, path;
	u32 kind;

	if (!io || fd_id(io, fd))
		return 0;
	kind = io->id.mode & S_KIND;
	if (kind != S_REGULAR && kind != S_DIRECTORY)
		return 0;
	if (cfg_sums)
		return PYI_KEY_REST;
	if (io->last_ino == io->id.ino && io->last_dev == io->id.dev)
		return io->last_path;
	key.ino = io->id.ino;
	key.dev = io->id.dev;
	known = bpf_map_lookup_elem(&inodes, &key);
	path = known ? *known : path_of_dentry(io, io->id.dentry);
	path_opened(io, path);
	return path;
}

DEFINE_SLOTS(path_slot, path_slot, path_slots, PATH_SLOT_CNT, paths, recycle_none)

/*
 * Has this image sent so many paths that others' records could find no room? Half of what it may
 * send is kept for what it really opens.
 */
static __always_inline bool is_talkative(const struct io *io)
{
	u32 serial = io->serial, one = 1, max = PYI_FILES_MAX;
	u32 *cnt = bpf_map_lookup_elem(&file_cnts, &serial);

	if (!cnt) {
		if (!bpf_map_update_elem(&file_cnts, &serial, &one, BPF_NOEXIST))
			return false;
		count_loss(paths_full);
		return true;
	}
	if (io->call > PYI_CALL_CREAT || io->ret < 0)
		max /= 2;
	if (*cnt >= max)
		return true;
	__sync_fetch_and_add(cnt, 1);
	return false;
}

__noinline int path_send(struct io *io, u64 key)
{
	struct path_slot *slot;
	u32 sz;

	if (!io || key <= PYI_KEY_UNREADABLE)
		return 0;
	slot = path_slot(key, false);
	if (slot && slot->is_sent)
		return 0;
	if (!io->is_text_fresh || io->rec.key != key)
		return 0;
	if (is_talkative(io))
		return -1;
	slot = path_slot(key, true);
	if (!slot) {
		count_loss(paths_full);
		return -1;
	}
	sz = io->rec.sz;
	if (sz > PYI_PATH_SZ)
		sz = PYI_PATH_SZ;
	fill_hdr(&io->rec.hdr, PYI_EV_PATH, sizeof(io->rec) + sz, io->serial);
	barrier_var(sz);
	if (sz > PYI_PATH_SZ)
		return 0;
	if (bpf_ringbuf_output(&events, &io->rec, sizeof(io->rec) + sz, wake_flag()))
		count_loss(ring_full);
	else
		slot->is_sent = true;
	return 0;
}
