# Flags common to all targets, and the one way a layer's library is declared.
add_library(tutti_flags INTERFACE)
target_compile_definitions(tutti_flags INTERFACE _GNU_SOURCE TUTTI_VERSION="${PROJECT_VERSION}")
target_compile_options(tutti_flags INTERFACE
  -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wformat=2 -Wvla -Wundef
  $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation> # texts for people are cut on purpose, where snprintf says
  -fno-math-errno -fstack-protector-strong)
if(CMAKE_SIZEOF_VOID_P EQUAL 4) # files over 2 GB, as far as the libraries agree
  target_compile_definitions(tutti_flags INTERFACE _FILE_OFFSET_BITS=64)
endif()
if(TUTTI_WERROR)
  target_compile_options(tutti_flags INTERFACE -Werror)
endif()
if(TUTTI_SANITIZE)
  target_compile_options(tutti_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
  target_link_options(tutti_flags INTERFACE -fsanitize=address,undefined)
elseif(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_options(tutti_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(TUTTI_FUZZ)
  target_compile_options(tutti_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
  target_link_options(tutti_flags INTERFACE -fsanitize=address,undefined)
endif()
target_link_options(tutti_flags INTERFACE -Wl,-z,relro -Wl,-z,now)

# tutti_layer(NAME SOURCES ... USES ...): a static library tutti_NAME. USES lists the layers below
# it and the outside libraries; whatever is not listed is not on its include or link path.
function(tutti_layer name)
  cmake_parse_arguments(LAYER "" "" "SOURCES;USES" ${ARGN})
  add_library(tutti_${name} STATIC ${LAYER_SOURCES})
  target_include_directories(tutti_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(tutti_${name} PUBLIC ${LAYER_USES} PRIVATE tutti_flags)
endfunction()
