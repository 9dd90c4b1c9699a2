# SPDX-License-Identifier: BSD-2-Clause
from . import one  #@one
from .two import VALUE  #@two
from .sub import four  #@sub
