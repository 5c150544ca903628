# What `cmake --install` puts where, and how another project finds it: find_package(divker).
include(CMakePackageConfigHelpers)

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/divker)

install(TARGETS divker EXPORT divker_targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET divker_mpi)
  install(TARGETS divker_mpi LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
if(TARGET divker_command)
  install(TARGETS divker_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # Manual pages and completions are what the command says of itself.
  set(pages ${CMAKE_CURRENT_BINARY_DIR}/man1)
  set(completions ${CMAKE_CURRENT_BINARY_DIR}/completions)
  install(CODE "
    file(MAKE_DIRECTORY ${pages} ${completions})
    execute_process(COMMAND $<TARGET_FILE:divker_command> manual ${pages}
      COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND $<TARGET_FILE:divker_command> completion bash
      OUTPUT_FILE ${completions}/divker COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND $<TARGET_FILE:divker_command> completion zsh
      OUTPUT_FILE ${completions}/_divker COMMAND_ERROR_IS_FATAL ANY)")
  install(DIRECTORY ${pages}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${completions}/divker
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${completions}/_divker DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/divker
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/models
  DESTINATION ${CMAKE_INSTALL_DATADIR}/divker FILES_MATCHING PATTERN "*.sde")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/experiments
  DESTINATION ${CMAKE_INSTALL_DATADIR}/divker FILES_MATCHING PATTERN "*.py" PATTERN "*.sde")
install(FILES ${PROJECT_SOURCE_DIR}/python/divker/plot.py
  DESTINATION ${CMAKE_INSTALL_DATADIR}/divker)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/
  DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "*.png" PATTERN "*.cpp")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT divker_targets NAMESPACE divker:: FILE divkerTargets.cmake
  DESTINATION ${package_directory})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/divkerConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/divkerConfig.cmake INSTALL_DESTINATION ${package_directory}
  PATH_VARS CMAKE_INSTALL_DATADIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/divkerConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/divkerConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/divkerConfigVersion.cmake
  DESTINATION ${package_directory})
