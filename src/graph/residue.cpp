#include "graph/residue.hpp"

#include <algorithm>
#include <cmath>

#include "graph/elementary.hpp"

namespace divker::residue {
namespace {

std::uint64_t power(std::uint64_t base, std::uint64_t exponent) {
  std::uint64_t result = 1;
  for (; exponent != 0; exponent >>= 1U, base = times(base, base)) {
    if ((exponent & 1U) != 0) result = times(result, base);
  }
  return result;
}

std::uint64_t odd_map(Op op, std::uint64_t a) {
  const std::uint64_t opposite = negative(a);
  return a <= opposite ? random_map(op, a) : negative(random_map(op, opposite));
}
std::uint64_t even_map(Op op, std::uint64_t a) { return random_map(op, std::min(a, negative(a))); }

}  // namespace

std::uint64_t add(std::uint64_t a, std::uint64_t b) { return (a + b) % prime; }
std::uint64_t negative(std::uint64_t a) { return (prime - a) % prime; }

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  // Four partial products: there is no portable 128-bit integer.
  const std::uint64_t a_high = a >> 31U;
  const std::uint64_t a_low = a & 0x7FFFFFFFU;
  const std::uint64_t b_high = b >> 31U;
  const std::uint64_t b_low = b & 0x7FFFFFFFU;
  const std::uint64_t middle = a_high * b_low + a_low * b_high;
  // 2^62 = 2 and 2^31 * m = m_high + 2^31 m_low, where m = m_high 2^30 + m_low.
  const std::uint64_t sum =
      2 * a_high * b_high + (middle >> 30U) + ((middle & 0x3FFFFFFFU) << 31U) + a_low * b_low;
  return sum % prime;
}

std::uint64_t inverse(std::uint64_t a) { return power(a, prime - 2); }

std::uint64_t constant(double value) {
  if (!std::isfinite(value)) return 3;
  int exponent = 0;
  const double fraction = std::frexp(std::fabs(value), &exponent);
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
  exponent -= 53;
  const std::uint64_t scale =
      power(2, static_cast<std::uint64_t>(exponent < 0 ? exponent % 61 + 61 : exponent));
  const std::uint64_t size = times(mantissa % prime, scale);
  return value < 0.0 ? negative(size) : size;
}

std::uint64_t mix(std::uint64_t word) {
  std::uint64_t h = word;
  h = (h ^ (h >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  h = (h ^ (h >> 27U)) * 0x94D049BB133111EBULL;
  return h ^ (h >> 31U);
}

std::uint64_t random_map(Op op, std::uint64_t a) {
  return mix(a ^ mix(static_cast<std::uint64_t>(op) + 1)) % prime;
}

std::uint64_t apply(Op op, std::uint64_t a, std::uint64_t b) {
  switch (op) {
    case Op::add:
      return add(a, b);
    case Op::sub:
      return add(a, negative(b));
    case Op::mul:
      return times(a, b);
    case Op::div:
      return times(a, inverse(b));
    case Op::neg:
      return negative(a);
    case Op::min:
    case Op::max:
      return random_map(op, add(random_map(op, a), random_map(op, b)));
    case Op::sign:
      return odd_map(op, a);
    case Op::abs:
      return even_map(op, a);
    case Op::pow:
    case Op::step:
    case Op::where:
      return random_map(op, add(a, random_map(op, b)));
    default:
      break;
  }
  const graph::Elementary* f = graph::find_elementary(op);
  const graph::Parity parity = f == nullptr ? graph::Parity::none : f->parity;
  if (parity == graph::Parity::odd) return odd_map(op, a);
  return parity == graph::Parity::even ? even_map(op, a) : random_map(op, a);
}

}  // namespace divker::residue
