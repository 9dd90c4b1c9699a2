#include <bpf/libbpf.h>
#include "pyimport.skel.h"
#include "target/interp.h"
