// Any bytes either are refused with an Error or are an array that is no larger than they are; what
// is written of it is the same array.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "divker/error.hpp"
#include "divker/npy.hpp"
#include "memory_file.hpp"

namespace {

using namespace divker;

// To the bit: NaN has many.
bool same(const Matrix& a, const Matrix& b) {
  return a.rows == b.rows && a.cols == b.cols && a.data.size() == b.data.size() &&
         std::memcmp(a.data.data(), b.data.data(), a.data.size() * sizeof(double)) == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path& file = fuzz::input_file(data, size);
  try {
    const Matrix array = read_npy(file);
    write_npy(fuzz::output_file(), array);
    const bool fits = array.data.size() == array.rows * array.cols && array.data.size() <= size / 4;
    if (fits && same(array, read_npy(fuzz::output_file()))) return 0;
    std::fprintf(stderr, "The array of %zu x %zu differs.\n", array.rows, array.cols);
    std::abort();
  } catch (const Error&) {
    return 0;
  }
}
