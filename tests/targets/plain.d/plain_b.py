# SPDX-License-Identifier: BSD-2-Clause


import plain_c  #@c
