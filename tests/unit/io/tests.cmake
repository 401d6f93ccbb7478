tutti_unit_test(io loop)
tutti_unit_test(io mono_clock)
tutti_unit_test(io http)
tutti_unit_test(io ws_client)

set(IO_HELPERS HELPERS="${CMAKE_CURRENT_SOURCE_DIR}/io/helpers")
foreach(module http ws_client)
  target_compile_definitions(unit_io_${module} PRIVATE ${IO_HELPERS})
endforeach()
