# SPDX-License-Identifier: BSD-2-Clause
import cl_child2  #@child

VALUE = 3
