#include "model/fingerprint.hpp"

#include <bit>
#include <string_view>
#include <unordered_map>

#include "graph/residue.hpp"

namespace divker {
namespace {

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return residue::mix(h);
}

class Combined {
 public:
  void add(std::uint64_t word) { state_ = residue::mix(state_ ^ word) + 0x9E3779B97F4A7C15ULL; }
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
  for (const PathFunctional& functional : model.functionals()) roots.push_back(functional.followed);
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
      values[id] = residue::constant(node.value);
    } else if (node.op == Op::input) {
      values[id] = hash_of(graph.input_name(node.a)) % residue::prime;
    } else {
      values[id] =
          residue::apply(node.op, values.at(node.a), is_binary(node.op) ? values.at(node.b) : 0);
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
  for (const Input& input : model.inputs()) {
    all.add("input " + input.name);
    all.add(name_of(input.interpolation));
    all.add(input.hold ? 1 : 0);
  }
  for (const Observation& observation : model.observations()) {
    all.add(observation.name);
    all.add(observation.noisy ? 1 : 0);
  }
  for (const PathFunctional& functional : model.functionals()) {
    all.add(functional.name);
    all.add(functional.kind->name());
  }
  for (const NodeId root : roots) all.add(values.at(root));
  // How they are stepped; nothing is added for the plain way.
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    const Range& range = model.states()[i].range;
    if (!range.is_whole()) all.add(i);
    if (range.is_whole() || range == Range::positive()) continue;
    all.add(std::bit_cast<std::uint64_t>(range.lower));
    all.add(std::bit_cast<std::uint64_t>(range.upper));
  }
  if (const double limit = model.time().tamed; limit != 0.0) {
    all.add("tamed");
    all.add(std::bit_cast<std::uint64_t>(limit));
  }
  return all.value();
}

}  // namespace divker
