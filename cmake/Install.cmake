# Programs, units and pages under the prefix; the configuration in /etc, where the programs look for it.
set(TUTTI_UNIT_DIR lib/systemd/system CACHE STRING "Where units are installed")
install(TARGETS tuttid tutti-hub tuttictl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TUTTI_DECODE)
  install(TARGETS tutti-decode RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR})
endif()

configure_file(systemd/tutti-hub.service.in ${CMAKE_BINARY_DIR}/systemd/tutti-hub.service @ONLY)
set(BOOT_FILE "Wants=tuttid-boot.service
After=tuttid-boot.service
")
configure_file(systemd/tuttid.service.in ${CMAKE_BINARY_DIR}/systemd/tuttid.service @ONLY)
configure_file(systemd/tuttid-boot.service.in ${CMAKE_BINARY_DIR}/systemd/tuttid-boot.service @ONLY)
# The same for one of several speakers on a board: the instance is in each of its names.
function(tutti_template_unit)
  cmake_path(ABSOLUTE_PATH TUTTI_UNIT_DIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE unit_dir)
  set(FOR_INSTANCE " %i")
  set(DASH_INSTANCE "-%i")
  set(CREDENTIAL_OF_INSTANCE ":tutti-token-%i")
  set(ASSERT_INSTANCE "# Not tuttid@hub: those directories would be tutti-hub.service's.
AssertPathExists=!${unit_dir}/tutti-%i.service
")
  set(BOOT_FILE "")
  set(INSTANCE_ENVIRONMENT "Environment=TUTTI_PATHS_STATE_DIR=/var/lib/tutti-%i
Environment=TUTTI_PATHS_CACHE_DIR=/var/cache/tutti-%i
Environment=TUTTI_CONTROL_SOCKET=/run/tutti-%i/control.sock
")
  configure_file(systemd/tuttid.service.in ${CMAKE_BINARY_DIR}/systemd/tuttid@.service @ONLY)
endfunction()
tutti_template_unit()
install(FILES ${CMAKE_BINARY_DIR}/systemd/tuttid.service ${CMAKE_BINARY_DIR}/systemd/tuttid@.service
              ${CMAKE_BINARY_DIR}/systemd/tuttid-boot.service ${CMAKE_BINARY_DIR}/systemd/tutti-hub.service
        DESTINATION ${TUTTI_UNIT_DIR})
install(FILES systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME tuttid.conf)
install(FILES systemd/sysusers-hub.conf DESTINATION lib/sysusers.d RENAME tutti-hub.conf)

file(GLOB pages CONFIGURE_DEPENDS docs/man/*.[1-8])
foreach(page ${pages})
  string(REGEX MATCH "[1-8]$" section ${page})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
install(FILES share/bash-completion/completions/tuttictl
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)

# Never over one that somebody has written.
foreach(config tuttid.conf tutti-hub.conf)
  install(CODE "
    if(NOT EXISTS \"\$ENV{DESTDIR}/etc/tutti/${config}\")
      file(INSTALL \"${PROJECT_SOURCE_DIR}/config/${config}\" DESTINATION /etc/tutti
           PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
    endif()")
endforeach()
