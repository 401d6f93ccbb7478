install(TARGETS tuttid tutti-hub tuttictl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(unit tuttid.service tutti-hub.service)
  configure_file(systemd/${unit}.in ${CMAKE_BINARY_DIR}/systemd/${unit} @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/systemd/${unit} DESTINATION lib/systemd/system)
endforeach()
# An example: /etc/tutti/tuttid.conf belongs to whoever runs the speaker.
install(FILES config/tuttid.conf DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
