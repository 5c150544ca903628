// Any bytes either are refused with an Error or are a table, and attributes are read or refused.
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>

#include <cstdio>
#include <cstdlib>

#include "divker/error.hpp"
#include "divker/hdf5.hpp"
#include "memory_file.hpp"

namespace {

using namespace divker;

bool is_whole(const Table& table) {
  return table.values.data.size() == table.values.rows * table.values.cols &&
         (table.columns.empty() || table.columns.size() == table.values.cols);
}

template <class Read>
void unless_refused(Read read) {
  try {
    read();
  } catch (const Error&) {
    return;
  }
}

}  // namespace

// In the child that reads the file a fault is no finding of the fuzzer's.
extern "C" int LLVMFuzzerInitialize(int* /*count*/, char*** /*arguments*/) {
  return pthread_atfork(nullptr, nullptr, [] { __sanitizer_set_death_callback(nullptr); });
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path& file = fuzz::input_file(data, size);
  unless_refused([&] {
    if (is_whole(read_hdf5(file))) return;
    std::fprintf(stderr, "The table is not whole.\n");
    std::abort();
  });
  unless_refused([&] { (void)read_hdf5_attributes(file); });
  return 0;
}
