# SPDX-License-Identifier: BSD-2-Clause
import im_child  #@child
