// Any text either is refused with an Error or is a model; what a model prints is the same model.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "divker/language.hpp"

namespace {

using namespace divker;

bool same(const Model& a, const Model& b) {
  return a.hash() == b.hash() && a.parameter_values() == b.parameter_values() &&
         a.noise_names() == b.noise_names() && a.text() == b.text();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const LanguageLimits limits{4096, 30, 50, 2000};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const Model model = parse_model(text, "fuzz", limits);
    const std::string printed = model.text();
    LanguageLimits wider = limits;
    wider.bytes *= 64;
    try {
      if (same(model, parse_model(printed, "printed", wider))) return 0;
      std::fprintf(stderr, "The printed model differs:\n%s", printed.c_str());
    } catch (const Error& error) {
      std::fprintf(stderr, "The printed model is refused: %s\n%s", error.what(), printed.c_str());
    }
    std::abort();
  } catch (const Error&) {
    return 0;
  }
}
