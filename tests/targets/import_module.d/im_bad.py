# SPDX-License-Identifier: BSD-2-Clause
import im_child2
raise RuntimeError("bad body")
