# SPDX-License-Identifier: BSD-2-Clause
from .three import VALUE  #@three
