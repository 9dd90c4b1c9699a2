// SPDX-License-Identifier: BSD-2-Clause
/*
 * PERF_RECORD_MMAP2 of the whole host; see mapped.h. The kernel sends them for executable
 * mappings only. The records of forks and exits that come along are passed over.
 */
#include "interpreters/hold/mapped.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "interpreters/hold/hold.h"

#define RECORD_MAX_SZ 8192u /* most of it the path */
#define RING_SZ (256u << 10) /* of each processor; a record has 100 to 200 bytes */
#define KNOWN_CNT 32768      /* a power of two */
#define FORGET_NS 600000000000ULL

struct known {
	__u64 dev, ino, since_ns; /* ino 0 = free */
};

struct ring {
	struct perf_event_mmap_page *page;
	const unsigned char *data;
	__u64 read_ns; /* time of the last record */
	bool is_full;  /* or was since it was empty: what came then found no room */
	bool is_told;  /* of that loss; the kernel does so when it has the next record to write */
};

struct mapped {
	size_t cnt;
	int *fds;
	struct ring *rings;
	size_t at; /* ring to look into next */
	__u64 lost, lost_since_ns, forgot_ns;
	size_t known_cnt;
	struct known known[KNOWN_CNT];
	union {
		struct perf_event_header header;
		unsigned char bytes[65536]; /* header.size is 16 bits */
	} record;
};

/* A record as asked for below; the time stands behind the name. */
struct mmap2 {
	struct perf_event_header header;
	__u32 pid, tid;
	__u64 addr, len, pgoff;
	__u32 major, minor;
	__u64 ino, ino_generation;
	__u32 prot, flags;
	char name[];
};

static int open_cpu(int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY,
		.mmap = 1, .mmap2 = 1, .sample_id_all = 1, .sample_type = PERF_SAMPLE_TIME,
		.use_clockid = 1, .clockid = CLOCK_MONOTONIC,
		.watermark = 1, .wakeup_watermark = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int mapped__new(struct mapped **out)
{
	long cpu_cnt = sysconf(_SC_NPROCESSORS_CONF);
	struct mapped *mapped = calloc(1, sizeof(*mapped));

	if (!mapped)
		return -ENOMEM;
	mapped->fds = calloc(cpu_cnt > 0 ? cpu_cnt : 1, sizeof(*mapped->fds));
	mapped->rings = calloc(cpu_cnt > 0 ? cpu_cnt : 1, sizeof(*mapped->rings));
	if (!mapped->fds || !mapped->rings) {
		mapped__free(mapped);
		return -ENOMEM;
	}
	for (long cpu = 0; cpu < cpu_cnt; cpu++) {
		int fd = open_cpu(cpu);

		if (fd == -ENODEV) /* not switched on */
			continue;
		if (fd < 0) {
			mapped__free(mapped);
			return fd;
		}
		mapped->fds[mapped->cnt++] = fd;
	}
	*out = mapped;
	return 0;
}

void mapped__free(struct mapped *mapped)
{
	if (!mapped)
		return;
	for (size_t i = 0; i < mapped->cnt; i++)
		close(mapped->fds[i]);
	free(mapped->fds);
	free(mapped->rings);
	free(mapped);
}

size_t mapped__fd_cnt(const struct mapped *mapped)
{
	return mapped->cnt;
}

int *mapped__fds(struct mapped *mapped)
{
	return mapped->fds;
}

int mapped__start(struct mapped *mapped)
{
	size_t page_sz = sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < mapped->cnt; i++) {
		void *at = mmap(NULL, page_sz + RING_SZ, PROT_READ | PROT_WRITE, MAP_SHARED,
				mapped->fds[i], 0);

		if (at == MAP_FAILED)
			return -errno;
		mapped->rings[i].page = at;
		mapped->rings[i].data = (const unsigned char *)at + page_sz;
	}
	return 0;
}

__u64 mapped__lost(const struct mapped *mapped)
{
	return mapped->lost;
}

__u64 mapped__lost_since(struct mapped *mapped)
{
	__u64 since_ns = mapped->lost_since_ns;

	mapped->lost_since_ns = 0;
	return since_ns;
}

static void copy_out(const struct ring *ring, __u64 pos, void *to, size_t sz)
{
	size_t off = pos & (RING_SZ - 1), head = RING_SZ - off;

	if (head > sz)
		head = sz;
	memcpy(to, ring->data + off, head);
	memcpy((char *)to + head, ring->data, sz - head);
}

/* One record of a ring into mapped->record. */
static bool take(struct mapped *mapped, struct ring *ring)
{
	struct perf_event_header *header = &mapped->record.header;
	__u64 head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	__u64 tail = ring->page->data_tail;

	if (head == tail)
		return false;
	ring->is_full |= head - tail > RING_SZ - RECORD_MAX_SZ;
	copy_out(ring, tail, header, sizeof(*header));
	copy_out(ring, tail, &mapped->record, header->size);
	__atomic_store_n(&ring->page->data_tail, tail + header->size, __ATOMIC_RELEASE);
	return true;
}

static struct known *find(struct mapped *mapped, __u64 dev, __u64 ino)
{
	size_t at = ((dev * 31 + ino) * 0x9e3779b97f4a7c15ULL) >> 49;

	while (mapped->known[at].ino &&
	       (mapped->known[at].ino != ino || mapped->known[at].dev != dev))
		at = (at + 1) & (KNOWN_CNT - 1);
	return &mapped->known[at];
}
_Static_assert(KNOWN_CNT == 1 << (64 - 49), "find yields 15 bits");

void mapped__know(struct mapped *mapped, const struct mapped_event *event, __u64 now_ns)
{
	struct known *known;

	if (mapped->known_cnt > KNOWN_CNT / 2 || now_ns - mapped->forgot_ns > FORGET_NS) {
		memset(mapped->known, 0, sizeof(mapped->known));
		mapped->known_cnt = 0;
		mapped->forgot_ns = now_ns;
	}
	known = find(mapped, event->dev, event->ino);
	mapped->known_cnt += !known->ino;
	*known = (struct known){ .dev = event->dev, .ino = event->ino, .since_ns = now_ns };
}

static bool read_mmap2(struct mapped *mapped, struct mapped_event *out)
{
	const struct mmap2 *rec = (const void *)&mapped->record;
	size_t sz = rec->header.size;
	const struct known *known;
	__u64 dev;

	if (sz < sizeof(*rec) + 2 * sizeof(__u64) || !rec->ino ||
	    (rec->header.misc & PERF_RECORD_MISC_CPUMODE_MASK) != PERF_RECORD_MISC_USER)
		return false;
	mapped->record.bytes[sz - sizeof(__u64) - 1] = '\0';
	*out = (struct mapped_event){ .tgid = rec->pid, .tid = rec->tid, .start = rec->addr,
				      .end = rec->addr + rec->len,
				      .dev = (__u64)rec->major << 32 | rec->minor,
				      .ino = rec->ino, .path = rec->name };
	if (rec->len < MAPPED_CODE_MIN_SZ)
		return false;
	memcpy(&out->ts_ns, &mapped->record.bytes[sz - sizeof(__u64)], sizeof(__u64));
	dev = out->dev;
	known = find(mapped, dev, out->ino);
	/* One that was mapped before the file became known still has to be told. */
	return !known->ino || known->since_ns > out->ts_ns;
}

/* As sample_id_all puts it, behind all else. */
static __u64 record_ns(const struct mapped *mapped)
{
	__u64 ns;

	memcpy(&ns, &mapped->record.bytes[mapped->record.header.size - sizeof(ns)], sizeof(ns));
	return ns;
}

static void note_lost(struct mapped *mapped, const struct ring *ring)
{
	__u64 since_ns = ring->read_ns ?: 1;

	if (!mapped->lost_since_ns || since_ns < mapped->lost_since_ns)
		mapped->lost_since_ns = since_ns;
}

/* The kernel says it with the next record that finds room: that may be long after the loss. */
static void read_lost(struct mapped *mapped, struct ring *ring)
{
	__u64 lost;

	memcpy(&lost, &mapped->record.bytes[sizeof(struct perf_event_header) + 8], sizeof(lost));
	mapped->lost += lost;
	if (ring->is_full || !ring->is_told)
		note_lost(mapped, ring);
	ring->is_told = false;
}

/* All is read. What found no room came behind the last record, and before now. */
static void end_batch(struct mapped *mapped, struct ring *ring)
{
	if (!ring->is_full)
		return;
	note_lost(mapped, ring);
	ring->is_full = false;
	ring->is_told = true;
}

bool mapped__next(struct mapped *mapped, struct mapped_event *out)
{
	for (size_t idle_cnt = 0; idle_cnt < mapped->cnt;) {
		struct ring *ring = &mapped->rings[mapped->at];

		if (!take(mapped, ring)) {
			end_batch(mapped, ring);
			mapped->at = (mapped->at + 1) % mapped->cnt;
			idle_cnt++;
			continue;
		}
		idle_cnt = 0;
		if (mapped->record.header.type == PERF_RECORD_LOST) {
			read_lost(mapped, ring);
			continue;
		}
		ring->read_ns = record_ns(mapped);
		if (mapped->record.header.type == PERF_RECORD_MMAP2 &&
			   read_mmap2(mapped, out)) {
			return true;
		}
	}
	return false;
}
