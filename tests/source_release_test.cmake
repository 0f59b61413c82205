# A source release of SOURCE embeds its page without npm: one that fails stands first on the path.
file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY ${SCRATCH}/bin)
execute_process(COMMAND ${SOURCE}/packaging/source-release ${SCRATCH} OUTPUT_VARIABLE archive
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${SCRATCH})
file(GLOB release LIST_DIRECTORIES TRUE ${SCRATCH}/lprofd-*)
list(FILTER release EXCLUDE REGEX "\\.tar\\.gz$")
foreach(tool npm node nodejs)
    file(WRITE ${SCRATCH}/bin/${tool} "#!/bin/sh\nexit 1\n")
    file(CHMOD ${SCRATCH}/bin/${tool} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endforeach()
set(ENV{PATH} "${SCRATCH}/bin:$ENV{PATH}")
execute_process(COMMAND ${CMAKE_COMMAND} -S ${release} -B ${SCRATCH}/build -G Ninja -DBUILD_TESTING=OFF
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${SCRATCH}/build --target embedded_assets.c
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(READ ${SCRATCH}/build/embedded_assets.c embedded)
foreach(name "\"index.html\"" "\"main-[A-Z0-9]+.js\"" "\"style-[A-Z0-9]+.css\"" "\"openapi.json\"")
    if(NOT embedded MATCHES "{${name}, ")
        message(FATAL_ERROR "the page of the source release has no ${name}")
    endif()
endforeach()
