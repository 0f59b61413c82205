# The web page, bundled, compressed and embedded into the http library, so that lprofd is one file and
# works offline. A source release carries the bundle in web/dist and is built without npm.
find_program(GZIP_PROGRAM gzip REQUIRED)
find_program(NPM_PROGRAM npm)
find_program(NODE_PROGRAM NAMES node nodejs)
set(web ${CMAKE_CURRENT_SOURCE_DIR}/web)

if(EXISTS ${web}/dist/index.html)
    set(bundle ${web}/dist)
    file(GLOB bundled CONFIGURE_DEPENDS ${bundle}/*)
elseif(NPM_PROGRAM AND NODE_PROGRAM)
    set(bundle ${CMAKE_CURRENT_BINARY_DIR}/web)
    set(bundled ${bundle}/index.html)
    file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${web}/src/*)
    add_custom_command(
        OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/web_modules.stamp
        COMMAND ${CMAKE_COMMAND} -DNPM_PROGRAM=${NPM_PROGRAM} -DFOLDER=${web}
                -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/npm_ci.cmake
        COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_CURRENT_BINARY_DIR}/web_modules.stamp
        DEPENDS ${web}/package-lock.json ${CMAKE_CURRENT_SOURCE_DIR}/cmake/npm_ci.cmake
        COMMENT "Fetching what the web page is built with"
        VERBATIM)
    add_custom_command(
        OUTPUT ${bundled}
        COMMAND ${NODE_PROGRAM} ${web}/build.mjs ${bundle}
        DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/web_modules.stamp ${web_sources} ${web}/build.mjs
                ${web}/index.html ${web}/style.css ${web}/icon.svg
        COMMENT "Bundling the web page"
        VERBATIM)
else()
    message(FATAL_ERROR "The web page is built with npm, which is missing: apt-get install npm "
                        "(or build from a source release, which carries the page in web/dist)")
endif()

set(embedded_assets ${CMAKE_CURRENT_BINARY_DIR}/embedded_assets.c)
add_custom_command(
    OUTPUT ${embedded_assets}
    COMMAND ${CMAKE_COMMAND} -DGZIP_PROGRAM=${GZIP_PROGRAM} -DOUTPUT=${embedded_assets}
            -DFOLDER=${bundle} -DDOCUMENT=${CMAKE_CURRENT_SOURCE_DIR}/daemon/http/openapi.json
            -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${bundled} ${CMAKE_CURRENT_SOURCE_DIR}/daemon/http/openapi.json
            ${CMAKE_CURRENT_SOURCE_DIR}/cmake/embed.cmake
    VERBATIM)
target_sources(http PRIVATE ${embedded_assets})
