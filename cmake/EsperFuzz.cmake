# The fuzz targets of tests/fuzz/, with just the files that each reads its input by: cheap to build.

enable_testing()
set(fuzz_corpus ${PROJECT_BINARY_DIR}/corpus)

add_library(esper_fuzzed INTERFACE)
target_compile_options(esper_fuzzed INTERFACE -fsanitize=fuzzer-no-link)
target_include_directories(esper_fuzzed INTERFACE ${PROJECT_SOURCE_DIR})
target_link_libraries(esper_fuzzed INTERFACE esper::messages)

# Shared by targets and the maker of seeds.
add_library(fuzzed_payload OBJECT runtime/journal_kinds.cpp)
target_link_libraries(fuzzed_payload PUBLIC esper_fuzzed)
add_library(fuzzed_journal OBJECT runtime/journal.cpp runtime/journal_book.cpp
  runtime/journal_log.cpp runtime/database.cpp
  runtime/database_failpoints.cpp runtime/digest.cpp)
target_link_libraries(fuzzed_journal PUBLIC esper_fuzzed SQLite::SQLite3 OpenSSL::Crypto)
add_library(fuzzed_checkpoint OBJECT gpu/checkpoint_header.cpp gpu/safetensors_header.cpp
  gpu/sha256.cpp)
target_link_libraries(fuzzed_checkpoint PUBLIC esper_fuzzed OpenSSL::Crypto)
add_library(fuzzed_config OBJECT
  runtime/config.cpp runtime/config_checks.cpp runtime/cluster_checks.cpp runtime/config_names.cpp
  runtime/json_positions.cpp
  actors/decisions/blueprint_catalogue.cpp actors/decisions/fashion_plan.cpp
  actors/decisions/host_catalogue.cpp actors/decisions/host_cut.cpp
  actors/decisions/transformer_plan.cpp runtime/postgresql/connection_string.cpp)
target_link_libraries(fuzzed_config PUBLIC esper_fuzzed esper_pq)
add_library(fuzzed_rehearsal OBJECT sim/rehearsal.cpp sim/fault.cpp sim/coverage.cpp)
target_link_libraries(fuzzed_rehearsal PUBLIC esper_fuzzed)
add_library(fuzzed_control OBJECT runtime/control/control_protocol.cpp)
target_link_libraries(fuzzed_control PUBLIC esper_fuzzed)

# esper_fuzz(NAME RUNS [LIBRARIES...]) makes fuzz_NAME and its bounded test of about RUNS inputs.
function(esper_fuzz name runs)
  add_executable(fuzz_${name} tests/fuzz/${name}_fuzz.cpp)
  target_link_libraries(fuzz_${name} PRIVATE esper_fuzzed ${ARGN})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  add_test(NAME fuzz/${name} COMMAND scripts/fuzz --bounded ${runs} ${name}
           WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(fuzz/${name} PROPERTIES TIMEOUT 300 LABELS fuzz)
endfunction()
esper_fuzz(config 600 fuzzed_config)
esper_fuzz(rehearsal 2000 fuzzed_config fuzzed_rehearsal)
esper_fuzz(control 10000 fuzzed_control)
esper_fuzz(wire 20000)
esper_fuzz(checkpoint 5000 fuzzed_checkpoint)
esper_fuzz(journal 1000 fuzzed_journal)
esper_fuzz(payload 3000 fuzzed_payload)

add_executable(make_seeds tests/fuzz/make_seeds.cpp)
target_link_libraries(make_seeds PRIVATE fuzzed_journal fuzzed_checkpoint)
add_custom_command(OUTPUT ${fuzz_corpus}/made
  COMMAND make_seeds ${fuzz_corpus} && ${CMAKE_COMMAND} -E touch ${fuzz_corpus}/made
  DEPENDS make_seeds VERBATIM)
add_custom_target(fuzz_seeds ALL DEPENDS ${fuzz_corpus}/made)
