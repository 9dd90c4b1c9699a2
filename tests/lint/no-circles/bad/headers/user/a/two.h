#include "a/one.h"
