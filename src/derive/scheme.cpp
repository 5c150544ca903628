#include "divker/scheme.hpp"

#include <fmt/format.h>

#include "divker/error.hpp"

namespace divker {

std::string_view name_of(Scheme scheme) {
  switch (scheme) {
    case Scheme::automatic:
      return "automatic";
    case Scheme::euler:
      return "euler";
    case Scheme::exact:
      return "exact";
  }
  return "";
}

Scheme parse_scheme(std::string_view text) {
  if (text.empty()) return Scheme::automatic;
  if (text == name_of(Scheme::euler)) return Scheme::euler;
  if (text == name_of(Scheme::exact)) return Scheme::exact;
  throw Error(ErrorKind::usage,
              fmt::format("There is no scheme '{}'; the schemes are euler and exact.", text));
}

int number_of(InverseOrder order) { return order == InverseOrder::second ? 2 : 1; }

}  // namespace divker
