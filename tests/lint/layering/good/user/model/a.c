#include "base/text.h"
#include "event/decode.h"
#include <stdlib.h>
