# SPDX-License-Identifier: BSD-2-Clause
from . import helper  #@helper

print(__name__, helper.VALUE)
