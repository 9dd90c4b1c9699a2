// SPDX-License-Identifier: BSD-2-Clause
/* What a trace says of the machine it was made on. */
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "model/model.h"
#include "trace/session.h"

/* The wall clock at a moment of the monotonic one; 0 = unknown. */
static __u64 realtime_at_ns(__u64 mono_ns)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts))
		return 0;
	return (__u64)ts.tv_sec * 1000000000 + (__u64)ts.tv_nsec - (clock_ns() - mono_ns);
}

int session__describe_host(struct session *session, __u64 end_ns)
{
	__u64 start_ns = session->file_ns ? session->file_ns : session->ready_ns;
	long cpu_cnt = sysconf(_SC_NPROCESSORS_ONLN);
	struct host_info host = { .tool_version = PYIMPORT_VERSION, .trace_start_ns = start_ns,
				  .trace_end_ns = end_ns,
				  .realtime_ns = realtime_at_ns(start_ns),
				  .cpu_cnt = cpu_cnt > 0 ? cpu_cnt : 0,
				  .file_nr = session->recording.rotation.cnt };
	struct utsname name;

	if (!uname(&name)) {
		host.kernel = name.release;
		host.arch = name.machine;
		host.hostname = name.nodename;
	}
	return model__set_host(session->model, &host);
}
