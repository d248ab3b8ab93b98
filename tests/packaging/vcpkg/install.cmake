# SPDX-License-Identifier: MIT
# The port by vcpkg itself, and the consumer against what it installs.
file(REMOVE_RECURSE ${SCRATCH})
set(installed ${SCRATCH}/installed)

function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
# It does not see headers that have changed, so nothing of an earlier run may be taken.
run(
    ${VCPKG} install ssekit --overlay-ports=${SOURCE}/vcpkg/ports --no-binarycaching
    --x-install-root=${installed} --x-buildtrees-root=${SCRATCH}/buildtrees
    --x-packages-root=${SCRATCH}/packages
)
file(GLOB triplets ${installed}/*/include/ssekit)
list(GET triplets 0 triplet)
cmake_path(SET prefix NORMALIZE ${triplet}/../..)
run(
    ${CMAKE_COMMAND} -S ${SOURCE}/consumer -B ${SCRATCH}/consumer -G ${GENERATOR} -DHOW=find_package
    -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_PREFIX_PATH=${prefix}
)
run(${CMAKE_COMMAND} --build ${SCRATCH}/consumer)
run(${SCRATCH}/consumer/consumer)
