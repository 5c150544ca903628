#include "jit/functions.hpp"

#include <array>

// NOTE: sleef.h declares only the widths that the including file is compiled for. Native code calls
// these with vector registers; here only their addresses are taken.
extern "C" {
// NOLINTBEGIN(readability-identifier-naming): SLEEF's names
void Sleef_expd8_u10avx512f();
void Sleef_powd8_u10avx512f();
void Sleef_erfd8_u10avx512f();
void Sleef_logd8_u35avx512f();
void Sleef_sind8_u35avx512f();
void Sleef_cosd8_u35avx512f();
void Sleef_tand8_u35avx512f();
void Sleef_tanhd8_u35avx512f();
void Sleef_sinhd8_u35avx512f();
void Sleef_coshd8_u35avx512f();
void Sleef_atand8_u35avx512f();
void Sleef_expd4_u10avx2();
void Sleef_powd4_u10avx2();
void Sleef_erfd4_u10avx2();
void Sleef_logd4_u35avx2();
void Sleef_sind4_u35avx2();
void Sleef_cosd4_u35avx2();
void Sleef_tand4_u35avx2();
void Sleef_tanhd4_u35avx2();
void Sleef_sinhd4_u35avx2();
void Sleef_coshd4_u35avx2();
void Sleef_atand4_u35avx2();
void Sleef_expd2_u10sse2();
void Sleef_powd2_u10sse2();
void Sleef_erfd2_u10sse2();
void Sleef_logd2_u35sse2();
void Sleef_sind2_u35sse2();
void Sleef_cosd2_u35sse2();
void Sleef_tand2_u35sse2();
void Sleef_tanhd2_u35sse2();
void Sleef_sinhd2_u35sse2();
void Sleef_coshd2_u35sse2();
void Sleef_atand2_u35sse2();
// NOLINTEND(readability-identifier-naming)
}

namespace divker::jit {
namespace {

using Address = void (*)();

VectorFunction entry(Op op, const char* symbol, Address address) {
  return {op, symbol, reinterpret_cast<void*>(address)};
}

const std::array functions_8{
    entry(Op::exp, "Sleef_expd8_u10avx512f", Sleef_expd8_u10avx512f),
    entry(Op::pow, "Sleef_powd8_u10avx512f", Sleef_powd8_u10avx512f),
    entry(Op::erf, "Sleef_erfd8_u10avx512f", Sleef_erfd8_u10avx512f),
    entry(Op::log, "Sleef_logd8_u35avx512f", Sleef_logd8_u35avx512f),
    entry(Op::sin, "Sleef_sind8_u35avx512f", Sleef_sind8_u35avx512f),
    entry(Op::cos, "Sleef_cosd8_u35avx512f", Sleef_cosd8_u35avx512f),
    entry(Op::tan, "Sleef_tand8_u35avx512f", Sleef_tand8_u35avx512f),
    entry(Op::tanh, "Sleef_tanhd8_u35avx512f", Sleef_tanhd8_u35avx512f),
    entry(Op::sinh, "Sleef_sinhd8_u35avx512f", Sleef_sinhd8_u35avx512f),
    entry(Op::cosh, "Sleef_coshd8_u35avx512f", Sleef_coshd8_u35avx512f),
    entry(Op::atan, "Sleef_atand8_u35avx512f", Sleef_atand8_u35avx512f),
};
const std::array functions_4{
    entry(Op::exp, "Sleef_expd4_u10avx2", Sleef_expd4_u10avx2),
    entry(Op::pow, "Sleef_powd4_u10avx2", Sleef_powd4_u10avx2),
    entry(Op::erf, "Sleef_erfd4_u10avx2", Sleef_erfd4_u10avx2),
    entry(Op::log, "Sleef_logd4_u35avx2", Sleef_logd4_u35avx2),
    entry(Op::sin, "Sleef_sind4_u35avx2", Sleef_sind4_u35avx2),
    entry(Op::cos, "Sleef_cosd4_u35avx2", Sleef_cosd4_u35avx2),
    entry(Op::tan, "Sleef_tand4_u35avx2", Sleef_tand4_u35avx2),
    entry(Op::tanh, "Sleef_tanhd4_u35avx2", Sleef_tanhd4_u35avx2),
    entry(Op::sinh, "Sleef_sinhd4_u35avx2", Sleef_sinhd4_u35avx2),
    entry(Op::cosh, "Sleef_coshd4_u35avx2", Sleef_coshd4_u35avx2),
    entry(Op::atan, "Sleef_atand4_u35avx2", Sleef_atand4_u35avx2),
};
const std::array functions_2{
    entry(Op::exp, "Sleef_expd2_u10sse2", Sleef_expd2_u10sse2),
    entry(Op::pow, "Sleef_powd2_u10sse2", Sleef_powd2_u10sse2),
    entry(Op::erf, "Sleef_erfd2_u10sse2", Sleef_erfd2_u10sse2),
    entry(Op::log, "Sleef_logd2_u35sse2", Sleef_logd2_u35sse2),
    entry(Op::sin, "Sleef_sind2_u35sse2", Sleef_sind2_u35sse2),
    entry(Op::cos, "Sleef_cosd2_u35sse2", Sleef_cosd2_u35sse2),
    entry(Op::tan, "Sleef_tand2_u35sse2", Sleef_tand2_u35sse2),
    entry(Op::tanh, "Sleef_tanhd2_u35sse2", Sleef_tanhd2_u35sse2),
    entry(Op::sinh, "Sleef_sinhd2_u35sse2", Sleef_sinhd2_u35sse2),
    entry(Op::cosh, "Sleef_coshd2_u35sse2", Sleef_coshd2_u35sse2),
    entry(Op::atan, "Sleef_atand2_u35sse2", Sleef_atand2_u35sse2),
};

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
