/* SPDX-License-Identifier: GPL-2.0-only */
/* Types and names of the maps. Included by core.bpf.h, which has what they hold. */
#ifndef BPF_CORE_MAPS_BPF_H
#define BPF_CORE_MAPS_BPF_H

/*
 * The maps: defined in core.bpf.c and nowhere else. Their types stand here because a map can be
 * handed to a helper only by name. User space sizes events, edges, codes and procs before load.
 */
struct events_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
};
struct threads_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
};
struct deeps_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct deep_spans);
};
struct procs_map { /* followed processes by tgid */
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, u32);
	__type(value, struct proc);
};
#define SERIAL_CNT 65536
struct serials_map { /* images that run, at their serial modulo SERIAL_CNT */
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SERIAL_CNT);
	__type(key, u32);
	__type(value, u32);
};
struct execs_map { /* when a process not (yet) followed was exec'ed */
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, u64);
};
struct ended_map { /* when a followed process ended, by tgid */
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u64);
};
struct phase_state { /* of one image */
	u32 serial;
	u32 flags; /* enum phase_flag in phase.bpf.c */
};
struct phases_map { /* by tgid */
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct phase_state);
};
struct scopes_map { /* cgroups that are followed, with all below them, by id */
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PYI_SCOPES_MAX);
	__type(key, u64);
	__type(value, u32);
};
struct sites_map { /* index = attach cookie */
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8192);
	__type(key, u32);
	__type(value, struct pyi_site);
};
struct layouts_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, struct pyi_layout);
};
/*
 * Statements by edge_key(). A hash table of our own in an array, because adding to a BPF hash costs
 * 1 us: a key is where probing ends, or, if its slots were taken, in the map behind it.
 */
#define EDGE_SLOT_CNT (1 << 17)
#define SLOT_PROBES 8
struct edge_slots_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EDGE_SLOT_CNT);
	__type(key, u32);
	__type(value, struct edge_value);
};
struct edges_map { /* what found no slot */
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, u64);
	__type(value, struct edge_value);
};
#define CODE_SLOT_CNT (1 << 15)
struct code_slots_map { /* code objects by key, like edge_slots */
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CODE_SLOT_CNT);
	__type(key, u32);
	__type(value, struct code_value);
};
struct codes_map { /* what found no slot */
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, struct code_value);
};
struct pairs_map { /* index = 2 * enum pyi_span + is_end */
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 32);
	__type(key, u32);
	__type(value, u64);
};
#define HIT_KINDS (PYI_SITE_MAX * PYI_SITE_MAX)
struct hits_map { /* at end * PYI_SITE_MAX + begin; [0]: of processes not followed, too */
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HIT_KINDS);
	__type(key, u32);
	__type(value, u64);
};
struct accounts_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct account);
};
struct charges_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct pyi_charge_key);
	__type(value, struct pyi_charge);
};
extern struct events_map events SEC(".maps");
extern struct threads_map threads SEC(".maps");
extern struct deeps_map deeps SEC(".maps");
extern struct procs_map procs SEC(".maps");
extern struct execs_map execs SEC(".maps");
extern struct ended_map ended SEC(".maps");
extern struct serials_map serials SEC(".maps");
extern struct scopes_map scopes SEC(".maps");
extern struct phases_map phases SEC(".maps");
extern struct sites_map sites SEC(".maps");
extern struct layouts_map layouts SEC(".maps");
extern struct edge_slots_map edge_slots SEC(".maps");
extern struct edges_map edges SEC(".maps");
extern struct code_slots_map code_slots SEC(".maps");
extern struct codes_map codes SEC(".maps");
extern struct pairs_map pairs SEC(".maps");
extern struct hits_map hits SEC(".maps");
extern struct accounts_map accounts SEC(".maps");
extern struct charges_map charges SEC(".maps");

#endif
