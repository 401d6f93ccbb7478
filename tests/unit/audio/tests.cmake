tutti_unit_test(audio resampler)
tutti_unit_test(audio decoder)
target_compile_definitions(unit_audio_decoder PRIVATE
  TEST_DATA_DIR="${CMAKE_CURRENT_SOURCE_DIR}/audio/data")
