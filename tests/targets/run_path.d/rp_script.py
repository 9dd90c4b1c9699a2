# SPDX-License-Identifier: BSD-2-Clause
import rp_child2  #@child

VALUE = 2
