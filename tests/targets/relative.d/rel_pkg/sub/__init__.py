# SPDX-License-Identifier: BSD-2-Clause
from .four import VALUE  #@four
