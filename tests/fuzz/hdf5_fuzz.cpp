// Any bytes either are refused with an Error or are a table, and attributes are read or refused.
//
// The file is read in a child process. What the child covers of our code is brought back to the
// fuzzer, which would be blind otherwise: the counters of the edges pass through shared memory.
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "divker/error.hpp"
#include "divker/hdf5.hpp"
#include "memory_file.hpp"

// NOLINTBEGIN: these names are the linker's and the compiler's
extern "C" {
extern std::uint8_t __start___sancov_cntrs[];
extern std::uint8_t __stop___sancov_cntrs[];
[[noreturn]] void __real__exit(int code);
[[noreturn]] void __wrap__exit(int code);  // the linker's option --wrap=_exit
}
// NOLINTEND

namespace {

using namespace divker;

std::span<std::uint8_t> own_counters() { return {__start___sancov_cntrs, __stop___sancov_cntrs}; }

std::span<std::uint8_t> counters_of_child() {
  static const std::span<std::uint8_t> shared = [] {
    const std::size_t size = own_counters().size();
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    return std::span(static_cast<std::uint8_t*>(memory), size);
  }();
  return shared;
}

void show_counters() { std::ranges::copy(own_counters(), counters_of_child().begin()); }

// What `read` does in a child process counts as done here.
template <class Read>
void unless_refused(Read read) {
  std::ranges::fill(counters_of_child(), std::uint8_t{0});
  try {
    read();
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): refused
  }
  const auto seen = counters_of_child();
  std::ranges::transform(own_counters(), seen, own_counters().begin(),
                         [](std::uint8_t own, std::uint8_t its) { return std::max(own, its); });
}

// In the child a fault is no finding of the fuzzer's. Nor may it wait for ever, for a lock that
// another thread held as the process forked: it has ten seconds of the clock.
void begin_child() {
  constexpr unsigned longest = 10;
  __sanitizer_set_death_callback(show_counters);
  std::signal(SIGALRM, SIG_DFL);
  ::alarm(longest);
}

bool is_whole(const Table& table) {
  return table.values.data.size() == table.values.rows * table.values.cols &&
         (table.columns.empty() || table.columns.size() == table.values.cols);
}

}  // namespace

void __wrap__exit(int code) {
  show_counters();
  __real__exit(code);
}

extern "C" int LLVMFuzzerInitialize(int* /*count*/, char*** /*arguments*/) {
  (void)counters_of_child();
  return pthread_atfork(nullptr, nullptr, begin_child);
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
