# SPDX-License-Identifier: BSD-2-Clause
import before_failure

before_failure.VALUE / 0
