# SPDX-License-Identifier: BSD-2-Clause
import rp_child  #@child

VALUE = 1
