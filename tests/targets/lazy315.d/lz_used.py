# SPDX-License-Identifier: BSD-2-Clause
import lz_child  #@child

VALUE = 1
