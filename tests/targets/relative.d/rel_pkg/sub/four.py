# SPDX-License-Identifier: BSD-2-Clause
from ..five import VALUE  #@five
from .. import two as also  # noqa: F401
from ..two import VALUE as other  #@cached

assert other == 3
