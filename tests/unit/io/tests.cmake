# tutti_unit_test(io module)
tutti_unit_test(io loop)
tutti_unit_test(io mono_clock)
tutti_unit_test(io ws_client)

set(IO_HELPERS HELPERS="${CMAKE_CURRENT_SOURCE_DIR}/io/helpers")
target_compile_definitions(unit_io_ws_client PRIVATE ${IO_HELPERS})
