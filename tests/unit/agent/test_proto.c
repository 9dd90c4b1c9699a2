// SPDX-License-Identifier: BSD-2-Clause
/*
 * OTLP's JSON as protobuf. What is expected are the bytes that the messages of OpenTelemetry's own
 * definitions serialize to (python3-opentelemetry-proto).
 */
#include <errno.h>

#include "agent/otlp/proto.h"
#include "base/text.h"
#include "unit.h"

static int encode(const char *text, char **out, size_t *sz)
{
	json_t *request = json_loads(text, 0, NULL);
	int err = request ? proto_encode(request, out, sz) : -1;

	json_decref(request);
	return err;
}

static void check_bytes(const char *text, const char *hex)
{
	struct text_buf got = {};
	char *out = NULL;
	size_t sz = 0;

	CHECK(!encode(text, &out, &sz));
	for (size_t i = 0; i < sz; i++)
		text_buf__printf(&got, "%02x", (unsigned char)out[i]);
	if (strcmp(text_buf__str(&got), hex) != 0)
		FAIL("%s instead of %s", text_buf__str(&got), hex);
	text_buf__free(&got);
	free(out);
}

static void test_span(void)
{
	check_bytes("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{"
		    "\"traceId\":\"000102030405060708090a0b0c0d0e0f\",\"kind\":1,"
		    "\"startTimeUnixNano\":\"1\",\"attributes\":[{\"key\":\"a\","
		    "\"value\":{\"intValue\":\"-1\"}}]}]}]}]}",
		    "0a331231122f0a10000102030405060708090a0b0c0d0e0f3001390100000000000000"
		    "4a100a0161120b18ffffffffffffffffff01");
}

static void test_histogram(void)
{
	check_bytes("{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"h\","
		    "\"histogram\":{\"dataPoints\":[{\"count\":\"3\",\"sum\":0.5,"
		    "\"bucketCounts\":[\"1\",\"2\"],\"explicitBounds\":[0.25]}],"
		    "\"aggregationTemporality\":2}}]}]}]}",
		    "0a3b123912370a01684a320a2e21030000000000000029000000000000e03f"
		    "3210010000000000000002000000000000003a08000000000000d03f1002");
}

/* A size of more than one byte moves what stands behind it. */
static void test_long_text(void)
{
	struct text_buf text = {}, hex = {};

	text_buf__add(&text, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"");
	text_buf__add(&hex, "0ad202" "12cf02" "12cc02" "2ac902");
	for (int i = 0; i < 329; i++) {
		text_buf__add(&text, "n");
		text_buf__add(&hex, "6e");
	}
	text_buf__add(&text, "\"}]}]}]}");
	check_bytes(text_buf__str(&text), text_buf__str(&hex));
	text_buf__free(&text);
	text_buf__free(&hex);
}

static void test_refused(void)
{
	static const char *const wrong[] = {
		"{\"resourceSpans\":[{\"unknown\":1}]}",
		"{\"resourceSpans\":[1]}",
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"0\"}]}]}]}",
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"0g\"}]}]}]}",
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":1}]}]}]}",
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"kind\":\"1x\"}]}]}]}",
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"kind\":{}}]}]}]}",
		"[]",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char *out = NULL;
		size_t sz;

		if (encode(wrong[i], &out, &sz) != -EINVAL || out)
			FAIL("taken: %s", wrong[i]);
		free(out);
	}
}

/* Whatever a report writes has its place in otlp.proto. */
static void test_report(void)
{
	json_t *request = json_load_file("tests/golden/otlp.json", 0, NULL);
	char *out = NULL;
	size_t sz;

	CHECK(request && !proto_encode(request, &out, &sz) && sz > 1000);
	free(out);
	json_decref(request);
}

int main(void)
{
	RUN(test_span);
	RUN(test_histogram);
	RUN(test_long_text);
	RUN(test_refused);
	RUN(test_report);
	return unit_result();
}
