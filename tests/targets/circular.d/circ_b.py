# SPDX-License-Identifier: BSD-2-Clause
import circ_c  #@c

VALUE = circ_c.VALUE
