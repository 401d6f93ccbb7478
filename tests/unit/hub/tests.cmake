tutti_unit_test(hub formats)
tutti_unit_test(hub pairing)
tutti_unit_test(hub rate)
tutti_unit_test(hub service)
tutti_unit_test(hub track_check tutti_audio)
target_compile_definitions(unit_hub_track_check PRIVATE
  TEST_DATA_DIR="${CMAKE_CURRENT_SOURCE_DIR}/audio/data")
tutti_unit_test(hub playing_on)
tutti_unit_test(hub turn)
tutti_unit_test(hub share)
tutti_unit_test(hub speakers)
tutti_unit_test(hub strangers)
tutti_unit_test(hub tidy)
tutti_unit_test(hub faults)
target_sources(unit_hub_faults PRIVATE hub/disk_faults.c)
target_compile_definitions(unit_hub_faults PRIVATE TEST_MUSIC_DIR="${PROJECT_SOURCE_DIR}/tests/support/music")
target_link_options(unit_hub_faults PRIVATE
  -Wl,--wrap=write -Wl,--wrap=fsync -Wl,--wrap=fdatasync -Wl,--wrap=rename)
tutti_unit_test(hub library_scan)
tutti_unit_test(hub library_watch)
tutti_unit_test(hub library_read)
target_compile_definitions(unit_hub_library_read PRIVATE
  TEST_DATA_DIR="${CMAKE_CURRENT_SOURCE_DIR}/audio/data"
  TEST_MUSIC_DIR="${PROJECT_SOURCE_DIR}/tests/support/music")
