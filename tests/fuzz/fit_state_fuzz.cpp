// Any text either is refused with an Error or is the state of a fit; what is printed of it is the
// same state.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "divker/error.hpp"
#include "divker/fit.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace divker;
  try {
    const FitState state = parse_fit_state({reinterpret_cast<const char*>(data), size}, "fuzz");
    const std::string printed = to_text(state);
    try {
      if (to_text(parse_fit_state(printed, "printed")) == printed) return 0;
      std::fprintf(stderr, "The printed state differs:\n%s", printed.c_str());
    } catch (const Error& error) {
      std::fprintf(stderr, "The printed state is refused: %s\n%s", error.what(), printed.c_str());
    }
    std::abort();
  } catch (const Error&) {
    return 0;
  }
}
