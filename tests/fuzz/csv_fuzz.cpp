// Any bytes either are refused with an Error or are a table; what is written of it is the same
// table, but for texts, which are written as missing values.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "divker/csv.hpp"
#include "divker/error.hpp"
#include "memory_file.hpp"

namespace {

using namespace divker;

// Names are written on one line.
std::string on_one_line(std::string name) {
  std::replace(name.begin(), name.end(), '\r', ' ');
  return name;
}

bool same(const Table& a, const Table& b) {
  return a.values.rows == b.values.rows && a.values.cols == b.values.cols &&
         std::equal(
             a.values.data.begin(), a.values.data.end(), b.values.data.begin(), b.values.data.end(),
             [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); }) &&
         std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                    [](const std::string& x, const std::string& y) {
                      return on_one_line(x) == on_one_line(y);
                    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path& file = fuzz::input_file(data, size);
  try {
    const Table table = read_csv(file);
    write_csv(fuzz::output_file(), table, {{"note", "two\nlines"}});
    if (same(table, read_csv(fuzz::output_file()))) return 0;
    std::fprintf(stderr, "The table that was written differs.\n");
    std::abort();
  } catch (const Error&) {
    return 0;
  }
}
