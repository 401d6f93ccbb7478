tutti_unit_test(daemon volume)
target_compile_definitions(unit_daemon_volume PRIVATE
  VMIXER_PLUGIN="$<TARGET_FILE:tutti_vmixer>")
add_dependencies(unit_daemon_volume tutti_vmixer)
