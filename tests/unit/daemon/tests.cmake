tutti_unit_test(daemon volume)
target_compile_definitions(unit_daemon_volume PRIVATE
  VMIXER_PLUGIN="$<TARGET_FILE:tutti_vmixer>")
add_dependencies(unit_daemon_volume tutti_vmixer)
tutti_unit_test(daemon library)
target_compile_definitions(unit_daemon_library PRIVATE HELPERS="${CMAKE_CURRENT_SOURCE_DIR}/daemon/helpers")
tutti_unit_test(daemon texts)
target_link_options(unit_daemon_texts PRIVATE -Wl,--wrap=pthread_create) # the test refuses threads
