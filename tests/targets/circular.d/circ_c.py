# SPDX-License-Identifier: BSD-2-Clause
import circ_a  #@back

VALUE = hasattr(circ_a, "VALUE")
