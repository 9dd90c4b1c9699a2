# SPDX-License-Identifier: BSD-2-Clause
import un_b  #@b
