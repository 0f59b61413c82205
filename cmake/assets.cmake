# The web assets, compressed and embedded into the http library, so that lprofd is one file and works offline.
find_program(GZIP_PROGRAM gzip REQUIRED)
file(GLOB web_assets CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/web/*.html
     ${CMAKE_CURRENT_SOURCE_DIR}/web/*.js ${CMAKE_CURRENT_SOURCE_DIR}/web/*.css
     ${CMAKE_CURRENT_SOURCE_DIR}/web/*.svg)
list(APPEND web_assets ${CMAKE_CURRENT_SOURCE_DIR}/daemon/http/openapi.json)
set(embedded_assets ${CMAKE_CURRENT_BINARY_DIR}/embedded_assets.c)
add_custom_command(
    OUTPUT ${embedded_assets}
    COMMAND ${CMAKE_COMMAND} -DGZIP_PROGRAM=${GZIP_PROGRAM} -DOUTPUT=${embedded_assets}
            "-DASSETS=${web_assets}" -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${web_assets} ${CMAKE_CURRENT_SOURCE_DIR}/cmake/embed.cmake
    VERBATIM)
target_sources(http PRIVATE ${embedded_assets})
