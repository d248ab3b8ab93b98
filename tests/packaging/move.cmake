# SPDX-License-Identifier: MIT
file(REMOVE_RECURSE ${TO})
file(RENAME ${FROM} ${TO})
