# SPDX-License-Identifier: MIT
# Compiles the module by hand, which works with any build tool and any CMake, and a program that
# imports it. Then looks whether a type that the headers declare is missing in it.
cmake_minimum_required(VERSION 3.25)
file(MAKE_DIRECTORY ${SCRATCH})
set(interface ${SOURCE}/include/ssekit/ssekit.cppm)

function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY WORKING_DIRECTORY ${SCRATCH})
endfunction()
set(flags -std=c++20 -Wall -Wextra -Werror -I${SOURCE}/include)
run(${CLANG} ${flags} --precompile ${interface} -o ssekit.pcm)
run(${CLANG} -c ssekit.pcm -o ssekit.o)
run(
    ${CLANG} ${flags} -fmodule-file=ssekit=ssekit.pcm
    ${SOURCE}/tests/packaging/module/importer.cpp ssekit.o -o importer
)
run(${SCRATCH}/importer)

file(READ ${interface} exported)
file(GLOB headers ${SOURCE}/include/ssekit/*.hpp)
foreach(header IN LISTS headers)
    file(READ ${header} text)
    string(REGEX REPLACE "\nnamespace detail {.*\n} // namespace detail\n" "" text "${text}")
    string(REGEX MATCHALL "\n(class|struct|enum class|concept) [a-z_0-9]+" types "${text}")
    foreach(type IN LISTS types)
        string(REGEX REPLACE ".* " "" name "${type}")
        if(name STREQUAL "std") # a specialisation, which needs no name
            continue()
        endif()
        if(NOT exported MATCHES "using ssekit::${name};")
            message(SEND_ERROR "${name}, of ${header}, is not exported")
        endif()
    endforeach()
endforeach()
