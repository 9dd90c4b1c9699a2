// SPDX-License-Identifier: BSD-2-Clause
/* Records of other builds, in captures whose every field has a value of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "event/capture.h"
#include "event/capture_format.h"
#include "event/event.h"
#include "pyimport_charge.h"
#include "unit.h"

/* What charges were before the peak of resident memory came in front of the last two fields. */
struct old_charge_record {
	struct pyi_hdr hdr;
	__u32 span, below;
	__u64 sums[20];
	__u64 last_io_ns, flags;
};

static struct old_charge_record old_record(void)
{
	struct old_charge_record rec = {
		.hdr = { .kind = PYI_EV_CHARGE, .size = sizeof(rec), .proc = 1, .ts_ns = 2 },
		.span = 3, .below = 4, .last_io_ns = 200, .flags = PYI_CHARGE_PYC_WRITTEN,
	};

	for (size_t i = 0; i < sizeof(rec.sums) / sizeof(rec.sums[0]); i++)
		rec.sums[i] = 100 + i;
	return rec;
}

/* A capture of one record, by a build whose charges have @fixed_sz bytes; @out: as it is read. */
static void through_capture(const void *record, size_t fixed_sz, struct pyi_charge_record *out)
{
	_cleanup_free_ char *bytes = NULL;
	size_t bytes_sz;
	FILE *file = open_memstream(&bytes, &bytes_sz);
	struct capture_writer *writer = NULL;
	struct capture_reader *reader = NULL;
	struct capture_frame frame = {};

	CHECK(!capture_writer__new(file, &writer));
	CHECK(!capture_writer__put(writer, CAPTURE_RECORD, record, fixed_sz));
	CHECK(!capture_writer__put(writer, CAPTURE_END, "", 0));
	CHECK(!capture_writer__flush(writer));
	capture_writer__free(writer);
	fclose(file);
	((struct capture_header *)bytes)->shapes[PYI_EV_CHARGE] = fixed_sz;
	file = fmemopen(bytes, bytes_sz, "r");
	CHECK(!capture_reader__new(file, &reader));
	CHECK(capture_reader__next(reader, &frame) == 1 && frame.type == CAPTURE_RECORD);
	CHECK(frame.size == sizeof(*out) && event_is_valid(frame.data, frame.size));
	memcpy(out, frame.data, frame.size < sizeof(*out) ? frame.size : sizeof(*out));
	capture_reader__free(reader);
	fclose(file);
}

static void check_sums(const struct pyi_charge *charge)
{
	const __u64 *sums = (const __u64 *)charge;

	for (size_t i = 0; i < PYI_CHARGE_SUMS; i++)
		CHECK(sums[i] == 100 + i);
}

static void test_charge_without_peak(void)
{
	struct old_charge_record old = old_record();
	struct pyi_charge_record got = {};

	through_capture(&old, sizeof(old), &got);
	CHECK(got.hdr.ts_ns == 2 && got.span == 3 && got.below == 4);
	check_sums(&got.charge);
	CHECK(got.charge.rss_peak == 0); /* unknown */
	CHECK(got.charge.last_io_ns == 200 && got.charge.flags == PYI_CHARGE_PYC_WRITTEN);
}

static void test_charge_of_today(void)
{
	struct old_charge_record old = old_record();
	struct pyi_charge_record rec = {}, got = {};

	memcpy(&rec, &old, offsetof(struct pyi_charge_record, charge.rss_peak));
	rec.hdr.size = sizeof(rec);
	rec.charge.rss_peak = 300;
	rec.charge.last_io_ns = 200;
	rec.charge.flags = 1;
	through_capture(&rec, sizeof(rec), &got);
	CHECK(!memcmp(&rec, &got, sizeof(rec)));
}

/* Of a build with one more field at the end: what it has in excess is dropped. */
static void test_charge_of_tomorrow(void)
{
	struct { struct pyi_charge_record rec; __u64 more; } later = { .more = 7 };
	struct pyi_charge_record got = {};

	later.rec.hdr = (struct pyi_hdr){ .kind = PYI_EV_CHARGE, .size = sizeof(later), .proc = 1 };
	later.rec.charge.rss_peak = 300;
	later.rec.charge.flags = 1;
	through_capture(&later, sizeof(later), &got);
	CHECK(got.hdr.size == sizeof(got) && got.charge.rss_peak == 300 && got.charge.flags == 1);
}

int main(void)
{
	RUN(test_charge_without_peak);
	RUN(test_charge_of_today);
	RUN(test_charge_of_tomorrow);
	return unit_result();
}
