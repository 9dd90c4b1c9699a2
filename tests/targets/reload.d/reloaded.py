# SPDX-License-Identifier: BSD-2-Clause
import reload_child  #@child

VALUE = 1
