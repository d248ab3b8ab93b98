# SPDX-License-Identifier: MIT
# How much code a device gets with the parser and the encoder: what an armv7 compiler makes of them for
# size. Then the example for devices, on an emulated one.
cmake_minimum_required(VERSION 3.25)
set(most 8192) # bytes
file(MAKE_DIRECTORY ${SCRATCH})

function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY WORKING_DIRECTORY ${SCRATCH})
endfunction()
set(flags -std=c++20 -Os -fno-exceptions -fno-rtti -fno-asynchronous-unwind-tables
    -ffunction-sections -Wl,--gc-sections -I${SOURCE}/include
)
run(${CXX} ${flags} -c ${SOURCE}/tests/packaging/device/device.cpp -o device.o)
execute_process(COMMAND ${SIZE} ${SCRATCH}/device.o OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
message(STATUS "parser and encoder:\n${said}")
string(REGEX MATCH "\n *([0-9]+)" line "${said}")
if(NOT CMAKE_MATCH_1 OR CMAKE_MATCH_1 GREATER most)
    message(FATAL_ERROR "${CMAKE_MATCH_1} bytes of code are more than ${most}")
endif()

if(EMULATOR)
    run(${CXX} ${flags} -static ${SOURCE}/tests/examples/no_heap.cpp -o no_heap)
    run(${EMULATOR} ${SCRATCH}/no_heap)
endif()
