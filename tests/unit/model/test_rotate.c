// SPDX-License-Identifier: BSD-2-Clause
/*
 * A capture that is rotated: the same stream, cut into two files at each of its records and into
 * as many as it has records. Each can be read by itself, and together they say what one file does.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "model/model.h"
#include "model/tape/packed_frames.h"
#include "model/tape/tape.h"
#include "event/capture.h"
#include "stream.h"

#define FILES_MAX 200
#define LOADS_MAX 64
#define MS 1000000ULL

/* ---- the stream: records one by one, so that another file can begin between any two */

struct writer {
	struct stream s;
	struct tape *tape;
	FILE *files[FILES_MAX];
	int file_cnt, at;
	int every, once; /* another file after each `every` records, or after the `once`th */
};

static void begin_file(struct writer *w)
{
	FILE *out = tmpfile();

	CHECK(out);
	if (!w->file_cnt)
		CHECK(!tape__new(out, w->s.model, &w->tape) && !tape__carry(w->tape));
	else
		CHECK(!tape__next_file(w->tape, out, (__u64)w->at * MS));
	w->files[w->file_cnt++] = out;
}

static void step(struct writer *w)
{
	w->at++;
	if (w->file_cnt < FILES_MAX && (w->once == w->at || (w->every && !(w->at % w->every))))
		begin_file(w);
}

#define STEP(call) do { call; step(w); } while (0)

static void put_python(struct stream *s, __u64 ts_ns)
{
	struct pyi_python rec = { .hdr = stream_hdr(s, PYI_EV_PYTHON, sizeof(rec), ts_ns) };

	stream_apply(s, &rec, sizeof(rec));
}

static void load(struct writer *w, __u32 id, __u32 parent, __u32 edge, __u32 code,
		 const char *name)
{
	struct stream *s = &w->s;

	STEP(stream_find(s, id * MS, id, parent, edge, name));
	STEP(stream_mark(s, id * MS + 1, id, PYI_MARK_NEW_MODULE));
	STEP(stream_code(s, code, id * 16, name, "", "/app/lib.py", "<module>", 1, 3));
	STEP(stream_body(s, id * MS + 2, id + 1, id, code, id * 16, name));
}

static void done(struct writer *w, __u32 id)
{
	STEP(stream_end(&w->s, id * MS + 500, id + 1));
	STEP(stream_end(&w->s, id * MS + 600, id));
}

static void as_child(struct stream *s, bool is_child)
{
	s->proc = is_child ? 2 : 1;
	s->tgid = s->tid = is_child ? 200 : 100;
}

/* Nested loads, a fork in the middle of one, a namespace that is used again by an exec(). */
static void run(struct writer *w)
{
	const struct process_info info = { .cwd = "/app" };
	struct stream *s = &w->s;

	STEP(stream_exec(s, 1 * MS, 1, "python3\0app.py", 15));
	STEP(put_python(s, 2 * MS));
	STEP(CHECK(!model__set_process_info(s->model, 1, &info)));
	STEP(stream_code(s, 7, 0x70, "__main__", "", "/app/app.py", "<module>", 1, 9));
	STEP(stream_body(s, 3 * MS, 3, 0, 7, 0x70, "__main__"));
	STEP(stream_edge(s, 4 * MS, 4, 3, 0, 0, 7, 2, "outer"));
	load(w, 10, 3, 4, 8, "outer");
	load(w, 20, 11, 0, 9, "inner");
	done(w, 20);
	STEP(stream_fork(s, 30 * MS, 200, 2));
	as_child(s, true);
	load(w, 40, 11, 0, 40, "childish");
	done(w, 40);
	as_child(s, false);
	load(w, 50, 11, 0, 50, "second");
	done(w, 50);
	done(w, 10);
	as_child(s, true);
	STEP(stream_end(s, 55 * MS, 11)); /* it returns through what it was forked in */
	STEP(stream_exit(s, 56 * MS, 0));
	as_child(s, false);
	STEP(stream_body(s, 57 * MS, 60, 3, 8, 160, "outer")); /* an exec() in its namespace */
	STEP(stream_frames(s, 60, &(struct pyi_frame){ 7, 6 }, 1));
	STEP(stream_end(s, 58 * MS, 60));
	STEP(stream_edge(s, 59 * MS, 5, 3, 0, 0, 7, 4, "last"));
	load(w, 70, 3, 5, 70, "last");
	done(w, 70);
	STEP(stream_count(s, 4, 3, 1));
	STEP(stream_count(s, 5, 1, 1));
	STEP(stream_end(s, 80 * MS, 3));
	STEP(stream_exit(s, 81 * MS, 0));
}

static void write_files(struct writer *w, int every, int once)
{
	struct pyi_stats stats = { .ring_full = 3 };

	memset(w, 0, sizeof(*w));
	stream_open(&w->s);
	w->every = every;
	w->once = once;
	begin_file(w);
	run(w);
	model__set_stats(w->s.model, &stats);
	CHECK(!tape__end(w->tape, 90 * MS));
	tape__free(w->tape);
	stream_close(&w->s);
}

/* ---- what the files say */

struct seen {
	char name[32], importer[64];
	__u64 wall_ns;
	__u32 pid;
	enum load_kind kind;
};

struct sum {
	struct seen loads[LOADS_MAX];
	size_t cnt;
	__u32 runs, cached; /* of statements */
};

static int cmp_seen(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct seen));
}

static void add_load(struct sum *sum, const struct load *load)
{
	struct seen *seen = &sum->loads[sum->cnt];

	if (load->is_inherited || load->result != LOAD_LOADED)
		return;
	CHECK(sum->cnt < LOADS_MAX);
	sum->cnt++;
	memset(seen, 0, sizeof(*seen));
	snprintf(seen->name, sizeof(seen->name), "%s", load->module);
	snprintf(seen->importer, sizeof(seen->importer), "%s:%d",
		 load->importer.file ? load->importer.file : "?", load->importer.line);
	seen->wall_ns = load->wall_ns;
	seen->pid = load->process->tgid;
	seen->kind = load->kind;
	if (load->is_carried)
		CHECK(load->self_ns == NS_UNKNOWN && load->cpu_ns == NS_UNKNOWN);
	else
		CHECK(load->self_ns <= load->wall_ns);
}

static void add_file(struct sum *sum, FILE *file)
{
	struct tape_result result;
	struct model *model;

	rewind(file);
	CHECK(!model__new(&model));
	CHECK(!tape_play(file, model, &result));
	CHECK(!result.is_cut && !result.is_damaged);
	for (size_t i = 0; i < model__process_cnt(model); i++) {
		const struct process *process = model__process(model, i);

		CHECK(process->tgid == 100 || process->tgid == 200);
		if (process->is_carried)
			CHECK(process->is_late && process->argc == 2);
		if (process->load_cnt) /* the fact was told by then */
			CHECK(process->cwd && !strcmp(process->cwd, "/app"));
		for (size_t j = 0; j < process->load_cnt; j++)
			add_load(sum, process->loads[j]);
		for (size_t j = 0; j < process->edge_cnt; j++) {
			sum->runs += process->edges[j]->count;
			sum->cached += process->edges[j]->cached;
		}
	}
	model__free(model);
}

static void sum_of(struct writer *w, struct sum *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < w->file_cnt; i++) {
		add_file(sum, w->files[i]);
		fclose(w->files[i]);
	}
	qsort(sum->loads, sum->cnt, sizeof(sum->loads[0]), cmp_seen);
}

static void check_cut(const struct sum *whole, int every, int once)
{
	static struct sum sum;
	static struct writer w;

	write_files(&w, every, once);
	sum_of(&w, &sum);
	CHECK(sum.cnt == whole->cnt);
	CHECK(!memcmp(sum.loads, whole->loads, sizeof(sum.loads)));
}

static void test_every_cut(void)
{
	static struct writer w;
	static struct sum whole;
	int record_cnt;

	write_files(&w, 0, 0);
	record_cnt = w.at;
	CHECK(w.file_cnt == 1);
	sum_of(&w, &whole);
	CHECK(whole.cnt == 6); /* __main__, outer, inner, childish, second, last */
	for (int once = 1; once <= record_cnt; once++)
		check_cut(&whole, 0, once);
	for (int every = 1; every < 10; every++)
		check_cut(&whole, every, 0);
}

/* A statement counts in each file what ran in its time. */
static void test_counts(void)
{
	static struct writer w;
	struct stream *s = &w.s;
	struct sum sum;

	stream_open(s);
	begin_file(&w);
	stream_exec(s, 1 * MS, 1, "python3\0app.py", 15);
	CHECK(!model__set_process_info(s->model, 1, &(struct process_info){ .cwd = "/app" }));
	stream_code(s, 7, 0x70, "__main__", "", "/app/app.py", "<module>", 1, 9);
	stream_edge(s, 4 * MS, 4, 0, 0, 0, 7, 2, "json");
	stream_count(s, 4, 5, 0);
	begin_file(&w);
	stream_count(s, 4, 5, 0); /* nothing since */
	begin_file(&w);
	stream_count(s, 4, 7, 0);
	stream_exit(s, 5 * MS, 0);
	stream_count(s, 4, 8, 0); /* told once more when it has ended */
	begin_file(&w);
	stream_count(s, 4, 8, 0);
	CHECK(!tape__end(w.tape, 90 * MS));
	tape__free(w.tape);
	stream_close(s);
	for (int i = 0; i < w.file_cnt; i++) {
		static const __u32 runs[] = { 5, 0, 1, 0 };

		memset(&sum, 0, sizeof(sum));
		add_file(&sum, w.files[i]);
		CHECK(sum.runs == runs[i] && sum.cached == runs[i]);
		fclose(w.files[i]);
	}
}

/* What was lost in the time of a file. */
static void test_losses(void)
{
	static const __u64 lost[] = { 5, 0, 2 };
	static struct writer w;
	struct pyi_stats stats = { .ring_full = 5 };
	struct stream *s = &w.s;

	stream_open(s);
	begin_file(&w);
	model__set_stats(s->model, &stats);
	model__set_late_starts(s->model, 1);
	begin_file(&w);
	model__set_stats(s->model, &stats);
	model__set_late_starts(s->model, 1);
	begin_file(&w);
	stats.ring_full = 7;
	model__set_stats(s->model, &stats);
	model__set_late_starts(s->model, 2);
	CHECK(!tape__end(w.tape, 90 * MS));
	tape__free(w.tape);
	stream_close(s);
	for (int i = 0; i < w.file_cnt; i++) {
		struct tape_result result;
		struct model *model;

		rewind(w.files[i]);
		CHECK(!model__new(&model) && !tape_play(w.files[i], model, &result));
		CHECK(model__stats(model)->ring_full == lost[i]);
		CHECK(model__late_starts(model) == (i != 1));
		CHECK(model__is_complete(model) == (i == 1));
		model__free(model);
		fclose(w.files[i]);
	}
}

/* What comes out is what went in, whatever zeros are in it. */
static void test_packed_frames(void)
{
	unsigned char bytes[700];
	struct unpacked_frame frame = {};
	struct packed_frames frames = {};
	unsigned int seed = 1;
	size_t at = 0;

	for (int round = 0; round < 300; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1103515245 + 12345;
			bytes[i] = (seed >> 16) % 40 < (unsigned int)round % 40 ? seed >> 20 : 0;
		}
		CHECK(!packed_frames__add(&frames, round % 3, bytes, round * 2));
		CHECK(packed_frames__next(&frames, &at, &frame) && at == frames.sz);
		CHECK(frame.size == (size_t)round * 2 && frame.type == (unsigned int)round % 3);
		CHECK(!memcmp(frame.data, bytes, frame.size));
	}
	CHECK(!packed_frames__next(&frames, &at, &frame));
	free(frame.data);
	packed_frames__clear(&frames);
}

int main(void)
{
	RUN(test_packed_frames);
	RUN(test_every_cut);
	RUN(test_counts);
	RUN(test_losses);
	return unit_result();
}
