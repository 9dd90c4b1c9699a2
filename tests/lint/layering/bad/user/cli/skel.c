#include "pyimport.skel.h"
