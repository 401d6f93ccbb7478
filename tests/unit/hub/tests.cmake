tutti_unit_test(hub rate)
tutti_unit_test(hub service)
tutti_unit_test(hub mp3_check tutti_audio)
target_compile_definitions(unit_hub_mp3_check PRIVATE
  TEST_DATA_DIR="${CMAKE_CURRENT_SOURCE_DIR}/audio/data")
tutti_unit_test(hub share)
tutti_unit_test(hub strangers)
tutti_unit_test(hub tidy)
tutti_unit_test(hub faults)
target_sources(unit_hub_faults PRIVATE hub/disk_faults.c)
target_compile_definitions(unit_hub_faults PRIVATE TEST_MUSIC_DIR="${PROJECT_SOURCE_DIR}/tests/support/music")
target_link_options(unit_hub_faults PRIVATE
  -Wl,--wrap=write -Wl,--wrap=fsync -Wl,--wrap=fdatasync -Wl,--wrap=rename)
