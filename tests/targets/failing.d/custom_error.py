# SPDX-License-Identifier: BSD-2-Clause
class MyError(Exception):
    pass


raise MyError("mine")
