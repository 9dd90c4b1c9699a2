# SPDX-License-Identifier: BSD-2-Clause
import lazy_child  #@child

VALUE = 9
