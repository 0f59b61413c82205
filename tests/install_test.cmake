# Installs the build into a scratch folder and looks whether everything is there and runs.
file(REMOVE_RECURSE ${SCRATCH})
set(ENV{DESTDIR} ${SCRATCH})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE installed RELATIVE ${SCRATCH} ${SCRATCH}/*)
foreach(wanted bin/lprofd bin/lprof share/man/man1/lprofd.1 share/man/man1/lprof.1
        share/bash-completion/completions/lprofd
        lib/systemd/system/lprofd.service share/doc/lprofd/LICENSE)
    string(REPLACE . "[.]" pattern "/${wanted}$")
    set(found ${installed})
    list(FILTER found INCLUDE REGEX ${pattern})
    if(NOT found)
        message(FATAL_ERROR "${wanted} was not installed; installed are: ${installed}")
    endif()
    if(wanted MATCHES "^bin/")
        execute_process(COMMAND ${SCRATCH}/${found} --version OUTPUT_VARIABLE version
                        COMMAND_ERROR_IS_FATAL ANY)
        if(NOT version MATCHES "[0-9]+[.][0-9]+")
            message(FATAL_ERROR "${wanted} --version says: ${version}")
        endif()
    endif()
endforeach()
