#include "jit/functions.hpp"

#include <array>

// Every function, and the bound of SLEEF that is taken: 1.0 or 3.5 units in the last place.
// NOLINTBEGIN(cppcoreguidelines-macro-usage): the names of symbols are put together
#define DIVKER_VECTOR_FUNCTIONS(F) \
  F(exp, u10)                      \
  F(pow, u10)                      \
  F(erf, u10)                      \
  F(log, u35)                      \
  F(sin, u35)                      \
  F(cos, u35)                      \
  F(tan, u35)                      \
  F(tanh, u35)                     \
  F(sinh, u35)                     \
  F(cosh, u35)                     \
  F(atan, u35)                     \
  F(erfc, u15)                     \
  F(expm1, u10)                    \
  F(log1p, u10)                    \
  F(asinh, u10)

// NOTE: sleef.h declares only the widths that the including file is compiled for. Native code calls
// these with vector registers; here only their addresses are taken.
extern "C" {
#define DIVKER_DECLARE(name, bound)         \
  void Sleef_##name##d8_##bound##avx512f(); \
  void Sleef_##name##d4_##bound##avx2();    \
  void Sleef_##name##d2_##bound##sse2();
DIVKER_VECTOR_FUNCTIONS(DIVKER_DECLARE)
#undef DIVKER_DECLARE
}

namespace divker::jit {
namespace {

using Address = void (*)();

VectorFunction entry(Op op, const char* symbol, Address address) {
  return {op, symbol, reinterpret_cast<void*>(address)};
}

#define DIVKER_ENTRY(name, symbol) entry(Op::name, #symbol, symbol),

const std::array functions_8{
#define DIVKER_ROW(name, bound) DIVKER_ENTRY(name, Sleef_##name##d8_##bound##avx512f)
    DIVKER_VECTOR_FUNCTIONS(DIVKER_ROW)
#undef DIVKER_ROW
};
const std::array functions_4{
#define DIVKER_ROW(name, bound) DIVKER_ENTRY(name, Sleef_##name##d4_##bound##avx2)
    DIVKER_VECTOR_FUNCTIONS(DIVKER_ROW)
#undef DIVKER_ROW
};
const std::array functions_2{
#define DIVKER_ROW(name, bound) DIVKER_ENTRY(name, Sleef_##name##d2_##bound##sse2)
    DIVKER_VECTOR_FUNCTIONS(DIVKER_ROW)
#undef DIVKER_ROW
};
#undef DIVKER_ENTRY
// NOLINTEND(cppcoreguidelines-macro-usage)

}  // namespace

std::span<const VectorFunction> vector_functions(std::size_t lanes) {
  switch (lanes) {
    case 8:
      return functions_8;
    case 4:
      return functions_4;
    case 2:
      return functions_2;
    default:
      return {};
  }
}

}  // namespace divker::jit
