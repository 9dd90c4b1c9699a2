// SPDX-License-Identifier: BSD-2-Clause
/* See price.h. */
#include "probe/price.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <link.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "probe/features.h"

#define KINDS 2
#define CALLS 32    /* measured at a time: shorter than what comes between, most often */
#define BATCHES 24
#define SELF "/proc/self/exe"

/* Functions of one instruction and a return; the first is emulated on every architecture. */
void price_trap(void);
void price_step(void);
__asm__(".pushsection .text\n"
	".balign 16\n.globl price_trap\n.type price_trap, %function\nprice_trap:\n"
	"	nop\n	ret\n.size price_trap, . - price_trap\n"
	".balign 16\n.globl price_step\n.type price_step, %function\nprice_step:\n"
#if defined(__x86_64__)
	"	test %eax, %eax\n"
#else
	"	add x0, x0, #0\n"
#endif
	"	ret\n.size price_step, . - price_step\n.popsection\n");

static void call_system(void)
{
	(void)syscall(SYS_getppid);
}

struct price_meter {
	int prog, links[KINDS]; /* one link, or a perf event each */
};

static int compare(const void *a, const void *b)
{
	__u64 left = *(const __u64 *)a, right = *(const __u64 *)b;

	return (left > right) - (left < right);
}

/* The lower quartile: whatever comes between makes a batch longer, never shorter. */
static __u64 time_of(void (*call)(void))
{
	__u64 took_ns[BATCHES], begin_ns;

	for (int i = 0; i < BATCHES; i++) {
		begin_ns = clock_ns();
		for (int j = 0; j < CALLS; j++)
			call();
		took_ns[i] = (clock_ns() - begin_ns) / CALLS;
	}
	qsort(took_ns, BATCHES, sizeof(took_ns[0]), compare);
	return took_ns[BATCHES / 4];
}

__u64 price_syscall_ns(void)
{
	return time_of(call_system);
}

/* Where in our file the function is. */
struct place {
	unsigned long addr, offset;
};

static int find_place(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct place *place = ctx;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *at = &info->dlpi_phdr[i];
		unsigned long start = info->dlpi_addr + at->p_vaddr;

		if (at->p_type == PT_LOAD && place->addr >= start &&
		    place->addr < start + at->p_filesz)
			place->offset = place->addr - start + at->p_offset;
	}
	return 1; /* the program comes first, and it is in no library */
}

static int attach_multi(int prog, const unsigned long *offsets, int *links)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .uprobe_multi = {
		.path = SELF, .offsets = offsets, .cnt = KINDS,
	});

	links[0] = bpf_link_create(prog, -1, BPF_TRACE_UPROBE_MULTI, &opts);
	return links[0] < 0 ? links[0] : 0;
}

static int open_perf(int prog, unsigned long offset)
{
	_cleanup_fclose_ FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	struct perf_event_attr attr = { .size = sizeof(attr), .config1 = (__u64)(unsigned long)SELF,
					.config2 = offset };
	_cleanup_close_ int event = -1;

	if (!file || fscanf(file, "%u", &attr.type) != 1)
		return -ENOTSUP;
	event = syscall(SYS_perf_event_open, &attr, getpid(), -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (event < 0 || ioctl(event, PERF_EVENT_IOC_SET_BPF, prog) ||
	    ioctl(event, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return TAKE_FD(event);
}

static int attach_perf(int prog, const unsigned long *offsets, int *links)
{
	for (int i = 0; i < KINDS; i++) {
		links[i] = open_perf(prog, offsets[i]);
		if (links[i] < 0)
			return links[i];
	}
	return 0;
}

int price_meter__new(bool want_perf, struct price_meter **out)
{
	static void (*const calls[KINDS])(void) = { price_trap, price_step };
	struct price_meter *meter = calloc(1, sizeof(*meter));
	bool is_multi = !want_perf && feature_uprobe_multi();
	unsigned long offsets[KINDS];
	int err = 0;

	if (!meter)
		return -ENOMEM;
	meter->links[0] = meter->links[1] = -1;
	meter->prog = feature_empty_program(is_multi);
	if (meter->prog < 0)
		err = meter->prog;
	for (int i = 0; i < KINDS && !err; i++) {
		struct place place = { .addr = (unsigned long)calls[i] };

		dl_iterate_phdr(find_place, &place);
		offsets[i] = place.offset;
		err = place.offset ? 0 : -ENOENT;
	}
	if (!err)
		err = is_multi ? attach_multi(meter->prog, offsets, meter->links) :
				 attach_perf(meter->prog, offsets, meter->links);
	if (err)
		price_meter__free(meter);
	else
		*out = meter;
	return err;
}

void price_meter__measure(const struct price_meter *meter, struct price *out)
{
	(void)meter;
	out->syscall_ns = price_syscall_ns();
	out->trap_ns = time_of(price_trap);
	out->step_ns = time_of(price_step);
}

void price_meter__free(struct price_meter *meter)
{
	if (!meter)
		return;
	for (int i = 0; i < KINDS; i++)
		if (meter->links[i] >= 0)
			close(meter->links[i]);
	if (meter->prog >= 0)
		close(meter->prog);
	free(meter);
}

const char *price_text(const struct price *price, char text[PRICE_TEXT_SZ])
{
	int sz = snprintf(text, PRICE_TEXT_SZ, "a system call takes %llu ns, an empty probe ",
			  price->syscall_ns);

	if (price->trap_ns)
		snprintf(text + sz, PRICE_TEXT_SZ - sz, "%llu ns (single-stepped %llu ns)",
			 price->trap_ns, price->step_ns);
	else
		snprintf(text + sz, PRICE_TEXT_SZ - sz, "is unknown");
	return text;
}

bool price_measure(bool want_perf, struct price *out)
{
	struct price_meter *meter;

	*out = (struct price){ .syscall_ns = price_syscall_ns() };
	if (price_meter__new(want_perf, &meter))
		return false;
	price_meter__measure(meter, out);
	price_meter__free(meter);
	return true;
}
