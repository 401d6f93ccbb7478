tutti_unit_test(audio card_choice)
tutti_unit_test(audio cue)
tutti_unit_test(audio gain)
tutti_unit_test(audio resampler)
tutti_unit_test(audio decoder)
target_compile_definitions(unit_audio_decoder PRIVATE
  TEST_DATA_DIR="${CMAKE_CURRENT_SOURCE_DIR}/audio/data"
  MUSIC_DIR="${PROJECT_SOURCE_DIR}/tests/support/music")
tutti_unit_test(audio sample_format)
tutti_unit_test(audio sanity)
tutti_unit_test(audio sink_null)
tutti_unit_test(audio sink_alsa)
target_compile_definitions(unit_audio_sink_alsa PRIVATE
  VCARD_PLUGIN="$<TARGET_FILE:tutti_vcard>")
add_dependencies(unit_audio_sink_alsa tutti_vcard)
tutti_unit_test(audio mixer)
target_compile_definitions(unit_audio_mixer PRIVATE
  VMIXER_PLUGIN="$<TARGET_FILE:tutti_vmixer>")
add_dependencies(unit_audio_mixer tutti_vmixer)
