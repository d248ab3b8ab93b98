# SPDX-License-Identifier: MIT
# Builds and runs the consumer with Meson: ssekit installed and found by pkg-config, or cloned by a
# wrap and built as a subproject.
file(REMOVE_RECURSE ${SCRATCH})
file(
    COPY
        ${SOURCE}/tests/packaging/meson/
        ${SOURCE}/tests/packaging/consumer/consumer.cpp
        ${SOURCE}/tests/packaging/consumer/greeter.hpp
    DESTINATION ${SCRATCH}/project
)
set(mode nofallback)
if(HOW STREQUAL "subproject")
    set(mode forcefallback)
    file(
        WRITE ${SCRATCH}/project/subprojects/ssekit.wrap
        "[wrap-git]\nurl = file://${SOURCE}\nrevision = HEAD\n\n[provide]\nssekit = ssekit_dep\n"
    )
endif()

function(run)
    execute_process(COMMAND ${CMAKE_COMMAND} -E env CXX=${CXX} ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
run(${MESON} setup ${SCRATCH}/build ${SCRATCH}/project --wrap-mode=${mode})
run(${MESON} test -C ${SCRATCH}/build --print-errorlogs)

if(HOW STREQUAL "installed")
    execute_process(
        COMMAND
            ${CMAKE_COMMAND} -E env CXX=${CXX} ${MESON} setup ${SCRATCH}/refused
            ${SCRATCH}/project --wrap-mode=${mode} -Dwanted=99
        RESULT_VARIABLE result
        OUTPUT_VARIABLE said
        ERROR_VARIABLE said
    )
    if(result EQUAL 0 OR NOT said MATCHES "found '?0\\.[0-9.]+'? but need")
        message(FATAL_ERROR "version 99 was not refused: ${said}")
    endif()
endif()
