#include "model/fingerprint.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string_view>
#include <unordered_map>

namespace divker {
namespace {

constexpr std::uint64_t prime = (std::uint64_t{1} << 61U) - 1;

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

std::uint64_t power(std::uint64_t base, std::uint64_t exponent) {
  std::uint64_t result = 1;
  for (; exponent != 0; exponent >>= 1U, base = times(base, base)) {
    if ((exponent & 1U) != 0) result = times(result, base);
  }
  return result;
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

std::uint64_t mix(std::uint64_t h) {
  h = (h ^ (h >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  h = (h ^ (h >> 27U)) * 0x94D049BB133111EBULL;
  return h ^ (h >> 31U);
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mix(h);
}

std::uint64_t random_map(Op op, std::uint64_t a) {
  return mix(a ^ mix(static_cast<std::uint64_t>(op) + 1)) % prime;
}
std::uint64_t odd_map(Op op, std::uint64_t a) {
  const std::uint64_t opposite = negative(a);
  return a <= opposite ? random_map(op, a) : negative(random_map(op, opposite));
}
std::uint64_t even_map(Op op, std::uint64_t a) { return random_map(op, std::min(a, negative(a))); }

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
    case Op::sin:
    case Op::tan:
    case Op::tanh:
    case Op::sinh:
    case Op::atan:
    case Op::erf:
    case Op::sign:
      return odd_map(op, a);
    case Op::cos:
    case Op::cosh:
    case Op::abs:
      return even_map(op, a);
    case Op::pow:
    case Op::step:
      return random_map(op, add(a, random_map(op, b)));
    default:
      return random_map(op, a);
  }
}

class Combined {
 public:
  void add(std::uint64_t word) { state_ = mix(state_ ^ word) + 0x9E3779B97F4A7C15ULL; }
  void add(std::string_view text) { add(hash_of(text)); }
  [[nodiscard]] std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0;
};

std::vector<NodeId> roots_of(const Model& model) {
  std::vector<NodeId> roots = model.drift();
  for (const NoiseEntry& entry : model.noise()) roots.push_back(entry.amplitude);
  for (const InitialLaw& law : model.initial()) {
    roots.push_back(law.a);
    roots.push_back(law.b);
  }
  for (const Observation& observation : model.observations()) {
    roots.push_back(observation.value);
    roots.push_back(observation.deviation);
  }
  return roots;
}

}  // namespace

std::uint64_t fingerprint(const Model& model) {
  const Graph& graph = *model.graph();
  const std::vector<NodeId> roots = roots_of(model);
  std::unordered_map<NodeId, std::uint64_t> values;
  for (const NodeId id : reachable(graph, roots)) {
    const Node& node = graph.node(id);
    if (node.op == Op::constant) {
      values[id] = constant(node.value);
    } else if (node.op == Op::input) {
      values[id] = hash_of(graph.input_name(node.a)) % prime;
    } else {
      values[id] = apply(node.op, values.at(node.a), is_binary(node.op) ? values.at(node.b) : 0);
    }
  }
  Combined all;
  all.add(model.dynamics() == Dynamics::map ? "map" : "sde");
  for (const State& state : model.states()) all.add(state.name);
  for (const Parameter& parameter : model.parameters()) all.add(parameter.name);
  for (const NoiseEntry& entry : model.noise()) {
    all.add(entry.row);
    all.add(entry.column);
  }
  for (const InitialLaw& law : model.initial()) {
    all.add(static_cast<std::uint64_t>(law.kind));
    all.add(law.file);
  }
  for (const Observation& observation : model.observations()) {
    all.add(observation.name);
    all.add(observation.noisy ? 1 : 0);
  }
  for (const NodeId root : roots) all.add(values.at(root));
  // How they are stepped; nothing is added for the plain way.
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    if (model.states()[i].positive) all.add(i);
  }
  if (const double limit = model.time().tamed; limit != 0.0) {
    all.add("tamed");
    all.add(std::bit_cast<std::uint64_t>(limit));
  }
  return all.value();
}

}  // namespace divker
