# SPDX-License-Identifier: BSD-2-Clause
import circ_b  #@b

VALUE = circ_b.VALUE
