#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "pyimport_event.h"
#include "core/core.bpf.h"
