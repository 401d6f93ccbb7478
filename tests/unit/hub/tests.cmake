tutti_unit_test(hub rate)
tutti_unit_test(hub service)
tutti_unit_test(hub mp3_check tutti_audio)
target_compile_definitions(unit_hub_mp3_check PRIVATE
  TEST_DATA_DIR="${CMAKE_CURRENT_SOURCE_DIR}/audio/data")
tutti_unit_test(hub share)
tutti_unit_test(hub strangers)
