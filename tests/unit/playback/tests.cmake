tutti_unit_test(playback player)
target_compile_definitions(unit_playback_player PRIVATE MUSIC_DIR="${PROJECT_SOURCE_DIR}/tests/support/music")
