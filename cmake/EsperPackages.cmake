# Everything that isn't ours: Debian's packages, and LibTorch from a venv or from ESPER_TORCH_DIR.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_path(ESPER_PQ_INCLUDE libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)
find_library(ESPER_PQ pq REQUIRED)
add_library(esper_pq INTERFACE)
target_include_directories(esper_pq SYSTEM INTERFACE ${ESPER_PQ_INCLUDE})
target_link_libraries(esper_pq INTERFACE ${ESPER_PQ})
find_package(ZLIB REQUIRED)
find_package(Eigen3 REQUIRED NO_MODULE)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_path(ESPER_ASIO_INCLUDE asio.hpp REQUIRED)
add_library(esper_asio INTERFACE)
target_include_directories(esper_asio SYSTEM INTERFACE ${ESPER_ASIO_INCLUDE})
target_link_libraries(esper_asio INTERFACE Threads::Threads)
if(ESPER_WITH_TESTS)
  find_package(Catch2 2.13 REQUIRED)
  find_package(rapidcheck REQUIRED)
  include(Catch)
endif()

# Debian's CAF brings no CMake package.
find_path(ESPER_CAF_INCLUDE caf/all.hpp REQUIRED)
find_library(ESPER_CAF_CORE caf_core REQUIRED)
add_library(esper_caf_core INTERFACE)
target_include_directories(esper_caf_core SYSTEM INTERFACE ${ESPER_CAF_INCLUDE})
target_link_libraries(esper_caf_core INTERFACE ${ESPER_CAF_CORE} Threads::Threads)
find_library(ESPER_CAF_IO caf_io REQUIRED)
add_library(esper_caf_io INTERFACE)
target_link_libraries(esper_caf_io INTERFACE ${ESPER_CAF_IO} esper_caf_core)

if(NOT ESPER_WITH_TORCH)
  return()
endif()

# LibTorch without its own CMake package: that one asks a CUDA build's user for the whole CUDA
# toolkit, though only headers and four libraries are needed here.
# Order: -DESPER_TORCH_DIR, -DTorch_DIR, the same names in the environment, scripts/setup's venv.
set(ESPER_TORCH_DIR "" CACHE PATH "Root of a LibTorch: the folder that holds include/ and lib/")
set(torch_root "${ESPER_TORCH_DIR}")
if(NOT torch_root AND Torch_DIR)
  get_filename_component(torch_root "${Torch_DIR}/../../.." ABSOLUTE)
endif()
if(NOT torch_root AND NOT "$ENV{ESPER_TORCH_DIR}" STREQUAL "")
  set(torch_root "$ENV{ESPER_TORCH_DIR}")
endif()
if(NOT torch_root AND NOT "$ENV{Torch_DIR}" STREQUAL "")
  get_filename_component(torch_root "$ENV{Torch_DIR}/../../.." ABSOLUTE)
endif()
if(NOT torch_root)
  set(cache_home "$ENV{XDG_CACHE_HOME}")
  if(cache_home STREQUAL "")
    set(cache_home "$ENV{HOME}/.cache")
  endif()
  file(GLOB torch_root
    "${cache_home}/esper/venv-torch-2.13.0/lib/python3*/site-packages/torch")
endif()
if(NOT EXISTS "${torch_root}/include/torch/csrc/api/include/torch/torch.h")
  message(FATAL_ERROR "No LibTorch at '${torch_root}'. Run scripts/setup, name one with "
                      "-DESPER_TORCH_DIR=, or go without: -DESPER_WITH_TORCH=OFF.")
endif()
message(STATUS "LibTorch: ${torch_root}")

add_library(esper_torch INTERFACE)
target_include_directories(esper_torch SYSTEM INTERFACE
  ${torch_root}/include ${torch_root}/include/torch/csrc/api/include)
target_link_directories(esper_torch INTERFACE ${torch_root}/lib)
foreach(library torch torch_cpu c10)
  target_link_libraries(esper_torch INTERFACE ${torch_root}/lib/lib${library}.so)
endforeach()
# LibTorch has Gloo's code and not its headers; libgloo-dev's are those, its library stays out.
find_path(ESPER_GLOO_INCLUDE gloo/context.h REQUIRED)
target_include_directories(esper_torch SYSTEM INTERFACE ${ESPER_GLOO_INCLUDE})
if(EXISTS ${torch_root}/lib/libtorch_cuda.so)
  # Nothing of ours names its symbols, yet it must be loaded for CUDA devices to exist.
  target_link_libraries(esper_torch INTERFACE
    -Wl,--push-state,--no-as-needed ${torch_root}/lib/libtorch_cuda.so
    ${torch_root}/lib/libc10_cuda.so -Wl,--pop-state)
endif()
