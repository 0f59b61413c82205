# Installs what FOLDER/package-lock.json names, unless it is there: several builds share the folder.
file(LOCK ${FOLDER} DIRECTORY GUARD PROCESS TIMEOUT 600)
set(installed ${FOLDER}/node_modules/.package-lock.json)
if(NOT EXISTS ${installed} OR ${FOLDER}/package-lock.json IS_NEWER_THAN ${installed})
    execute_process(COMMAND ${NPM_PROGRAM} ci --ignore-scripts --no-audit --no-fund
                    WORKING_DIRECTORY ${FOLDER} COMMAND_ERROR_IS_FATAL ANY)
    file(TOUCH ${installed})
endif()
