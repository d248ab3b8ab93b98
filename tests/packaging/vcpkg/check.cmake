# SPDX-License-Identifier: MIT
# The port without vcpkg: the fields of its manifest, and its portfile run with functions that do what
# vcpkg's do as far as this port uses them. What it leaves behind must be what a registry accepts.
cmake_minimum_required(VERSION 3.25)
set(PORT ssekit)
set(port_dir ${SOURCE}/tests/packaging/vcpkg/ports/${PORT})
set(CURRENT_PACKAGES_DIR ${SCRATCH}/packages)
file(REMOVE_RECURSE ${SCRATCH})

function(expect condition what)
    cmake_language(EVAL CODE "set(holds FALSE)\nif(${condition})\nset(holds TRUE)\nendif()")
    if(NOT holds)
        message(FATAL_ERROR "The port is not in order: ${what}")
    endif()
endfunction()

file(READ ${port_dir}/vcpkg.json manifest)
foreach(field IN ITEMS name version description license)
    string(JSON ${field} GET "${manifest}" ${field})
endforeach()
expect([[name STREQUAL "ssekit"]] "name")
expect([[version STREQUAL VERSION]] "its version is ${version}, that of version.hpp ${VERSION}")
expect([[license STREQUAL "MIT"]] "license")
expect([[NOT description STREQUAL "" AND NOT description MATCHES "\\.$"]] "description")
string(JSON count LENGTH "${manifest}" dependencies)
math(EXPR last "${count} - 1")
foreach(i RANGE ${last})
    string(JSON dependency GET "${manifest}" dependencies ${i} name)
    string(JSON host GET "${manifest}" dependencies ${i} host)
    list(APPEND dependencies ${dependency})
    expect([[host STREQUAL "ON"]] "${dependency} is a tool, so a host dependency")
endforeach()

# ---- vcpkg's functions

function(need tool)
    expect([[tool IN_LIST dependencies]] "the portfile needs ${tool}, vcpkg.json does not name it")
endfunction()

function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()

function(vcpkg_cmake_configure)
    need(vcpkg-cmake)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
    expect([[NOT arg_UNPARSED_ARGUMENTS]] "unknown arguments ${arg_UNPARSED_ARGUMENTS}")
    run(
        ${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${SCRATCH}/build -G ${GENERATOR} ${arg_OPTIONS}
        -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR}
        --warn-uninitialized -Werror=dev
    )
endfunction()

function(vcpkg_cmake_install)
    need(vcpkg-cmake)
    run(${CMAKE_COMMAND} --build ${SCRATCH}/build --target install)
endfunction()

function(vcpkg_cmake_config_fixup)
    need(vcpkg-cmake-config)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "CONFIG_PATH;PACKAGE_NAME" "")
    file(GLOB files ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH}/*.cmake)
    expect([[NOT files STREQUAL ""]] "nothing in ${arg_CONFIG_PATH}")
    file(COPY ${files} DESTINATION ${CURRENT_PACKAGES_DIR}/share/${PORT})
    file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH})
    file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/share/cmake) # which is empty now
endfunction()

function(vcpkg_fixup_pkgconfig)
    file(READ ${CURRENT_PACKAGES_DIR}/share/pkgconfig/${PORT}.pc pc)
    string(FIND "${pc}" "${SCRATCH}" place)
    expect([[place EQUAL -1]] "its .pc file cannot be moved")
endfunction()

function(vcpkg_install_copyright)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "COMMENT" "FILE_LIST")
    file(MAKE_DIRECTORY ${CURRENT_PACKAGES_DIR}/share/${PORT})
    file(COPY_FILE ${arg_FILE_LIST} ${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright)
endfunction()

set(CMAKE_CURRENT_LIST_DIR ${port_dir})
include(${port_dir}/portfile.cmake)

# ---- what it has left

set(share ${CURRENT_PACKAGES_DIR}/share/${PORT})
expect([[VCPKG_BUILD_TYPE STREQUAL "release"]] "a header-only port is built once")
foreach(
    file
    IN ITEMS
        ${CURRENT_PACKAGES_DIR}/include/ssekit/ssekit.hpp
        ${CURRENT_PACKAGES_DIR}/include/ssekit/adapters/posix.hpp
        ${share}/copyright
        ${share}/usage
        ${share}/ssekit-config.cmake
        ${share}/ssekit-config-version.cmake
)
    expect([[EXISTS "${file}"]] "${file} is missing")
endforeach()
expect([[NOT EXISTS "${CURRENT_PACKAGES_DIR}/debug"]] "it has a debug tree")
expect([[NOT EXISTS "${CURRENT_PACKAGES_DIR}/lib"]] "it has libraries")
file(GLOB_RECURSE all LIST_DIRECTORIES true ${CURRENT_PACKAGES_DIR}/*)
foreach(path IN LISTS all)
    file(GLOB inside ${path}/*)
    expect([[NOT IS_DIRECTORY "${path}" OR NOT inside STREQUAL ""]] "${path} is empty")
endforeach()
