# Tests in other languages start our programs by their path: for another architecture's there is a directory like the
# build's, whose programs are scripts that run the real ones emulated.
set(TUTTI_RUN_DIR ${CMAKE_BINARY_DIR}/emulated)
list(JOIN CMAKE_CROSSCOMPILING_EMULATOR " " emulator)
foreach(program bin/tuttid bin/tuttictl bin/tutti-hub tests/decode_ref)
  file(WRITE ${TUTTI_RUN_DIR}/${program} "#!/bin/sh\nexec ${emulator} ${CMAKE_BINARY_DIR}/${program} \"$@\"\n")
  file(CHMOD ${TUTTI_RUN_DIR}/${program}
    PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endforeach()
foreach(file tests/libasound_module_pcm_tutti_vcard.so tests/libasound_module_ctl_tutti_vmixer.so
             tests/failing_malloc.so systemd)
  file(CREATE_LINK ${CMAKE_BINARY_DIR}/${file} ${TUTTI_RUN_DIR}/${file} SYMBOLIC)
endforeach()
