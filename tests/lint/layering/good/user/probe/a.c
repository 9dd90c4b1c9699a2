#include <bpf/libbpf.h>
#include "pyimport.skel.h"
#include "interpreters/interp.h"
