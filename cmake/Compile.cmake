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

# A layer sees the public headers of the layers that it uses, and no others: build/layers/NAME is an include root with
# include/tutti/NAME in it and nothing else. (hub, ctl and decode have no public headers: nothing is above them.)
function(tutti_layer_root name)
  set(root ${CMAKE_BINARY_DIR}/layers/${name})
  file(MAKE_DIRECTORY ${root}/tutti)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/include/tutti/${name} ${root}/tutti/${name} SYMBOLIC)
  target_include_directories(tutti_${name} PUBLIC ${root})
endfunction()

# tutti_layer(NAME SOURCES ... USES ...): a static library tutti_NAME. USES lists the layers below it and the outside
# libraries; of our own, what is not listed is neither on its include path nor on its link path.
function(tutti_layer name)
  cmake_parse_arguments(LAYER "" "" "SOURCES;USES" ${ARGN})
  add_library(tutti_${name} STATIC ${LAYER_SOURCES})
  if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/include/tutti/${name})
    tutti_layer_root(${name})
  endif()
  target_link_libraries(tutti_${name} PUBLIC ${LAYER_USES} PRIVATE tutti_flags)
endfunction()
