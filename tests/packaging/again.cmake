# SPDX-License-Identifier: MIT
# The same sources make the same header, byte for byte, whatever Python's hashes are today.
execute_process(COMMAND ${PYTHON} ${SCRIPT} ${SECOND} COMMAND_ERROR_IS_FATAL ANY)
execute_process(
    COMMAND ${CMAKE_COMMAND} -E compare_files ${FIRST} ${SECOND}
    COMMAND_ERROR_IS_FATAL ANY
)
