#include "a/two.h"
