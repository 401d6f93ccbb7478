# Programs and units under the prefix; the configuration in /etc, where the programs look for it.
install(TARGETS tuttid tutti-hub tuttictl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(unit tuttid.service tutti-hub.service)
  configure_file(systemd/${unit}.in ${CMAKE_BINARY_DIR}/systemd/${unit} @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/systemd/${unit} DESTINATION lib/systemd/system)
endforeach()
install(FILES systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME tutti.conf)
install(FILES docs/man/tuttid.8 docs/man/tutti-hub.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES docs/man/tuttid.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES docs/man/tuttictl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
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

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tutti)
set(CPACK_PACKAGE_CONTACT "the tutti authors <tutti@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION sound)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
file(WRITE ${CMAKE_BINARY_DIR}/conffiles "/etc/tutti/tuttid.conf\n/etc/tutti/tutti-hub.conf\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/conffiles
  ${PROJECT_SOURCE_DIR}/systemd/postinst)
include(CPack)
