# SPDX-License-Identifier: BSD-2-Clause
from . import модуль  #@sub
