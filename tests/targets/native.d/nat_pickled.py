# SPDX-License-Identifier: BSD-2-Clause
import nat_child  #@child


class Thing:
    pass
