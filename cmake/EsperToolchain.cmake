# How our code is compiled: warnings, sanitizers, and the faster tools where they are installed.

find_program(ESPER_CCACHE ccache)
if(ESPER_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ESPER_CCACHE})
endif()

find_program(ESPER_MOLD mold)
if(ESPER_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# A fused multiply-add rounds once where the source says twice: decisions must come out the same on
# every machine.
add_compile_options(-ffp-contract=off)

if(ESPER_SANITIZE)
  add_compile_options(-fsanitize=${ESPER_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ESPER_SANITIZE})
  if(ESPER_SANITIZE MATCHES "undefined")
    # CAF 0.17.6 binds references to null in its headers (init_fun_factory.hpp), unused, at each
    # spawn of a function without arguments. A null that is used still ends the test.
    add_compile_options(-fno-sanitize=null)
  endif()
  if(ESPER_UNSANITIZED)
    add_compile_options(-fno-sanitize=${ESPER_UNSANITIZED})
  endif()
endif()

add_library(esper_warnings INTERFACE)
target_compile_options(esper_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
if(ESPER_WERROR)
  target_compile_options(esper_warnings INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports overlap for `std::string + const char*` (GCC bug 105651).
  target_compile_options(esper_warnings INTERFACE -Wno-restrict)
  if(ESPER_SANITIZE)
    # The sanitizers' own branches make the optimizer see paths that don't exist.
    target_compile_options(esper_warnings INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()
