#include "jit/canonical.hpp"

#include <fmt/format.h>

#include <cstring>
#include <unordered_map>

#include "divker/error.hpp"

namespace divker::jit {
namespace {

struct Place {
  std::uint32_t argument;
  std::uint32_t component;
};

std::unordered_map<NodeId, Place> places_of_inputs(const Program& program) {
  std::unordered_map<NodeId, Place> places;
  for (std::uint32_t i = 0; i < program.arguments.size(); ++i) {
    const Argument& argument = program.arguments[i];
    for (std::uint32_t c = 0; c < argument.inputs.size(); ++c) {
      const NodeId id = argument.inputs[c];
      if (id >= program.graph->size() || program.graph->node(id).op != Op::input) {
        throw Error(ErrorKind::usage,
                    fmt::format("Component {} of argument '{}' is node {}, which is not an input "
                                "of the program's graph.",
                                c, argument.name, id));
      }
      if (!places.try_emplace(id, Place{i, c}).second) {
        throw Error(
            ErrorKind::usage,
            fmt::format("Component {} of argument '{}' is input '{}', which an argument "
                        "of the program lists already.",
                        c, argument.name, program.graph->input_name(program.graph->node(id).a)));
      }
    }
  }
  return places;
}

template <typename T>
void append(std::string& bytes, const T& value) {
  const std::size_t end = bytes.size();
  bytes.resize(end + sizeof(T));
  std::memcpy(bytes.data() + end, &value, sizeof(T));
}

}  // namespace

CanonicalProgram canonical(const Program& program) {
  if (!program.graph) {
    throw Error(ErrorKind::usage, "A program without a graph cannot be compiled.");
  }
  const std::unordered_map<NodeId, Place> places = places_of_inputs(program);
  CanonicalProgram result;
  std::unordered_map<NodeId, NodeId> number;
  const std::vector<NodeId> roots = program.roots();
  for (const NodeId id : reachable(*program.graph, roots)) {
    Node node = program.graph->node(id);
    if (node.op == Op::input) {
      const auto place = places.find(id);
      if (place == places.end()) {
        throw Error(ErrorKind::usage,
                    fmt::format("The program's results depend on input '{}', which is in none of "
                                "its {} arguments.",
                                program.graph->input_name(node.a), program.arguments.size()));
      }
      node = {Op::input, place->second.argument, place->second.component, 0.0};
    } else if (node.op != Op::constant) {
      node.a = number.at(node.a);
      node.b = is_binary(node.op) ? number.at(node.b) : 0;
    }
    number[id] = static_cast<NodeId>(result.nodes.size());
    result.nodes.push_back(node);
  }
  for (const Argument& argument : program.arguments) {
    result.arguments.push_back(
        {argument.rate(), static_cast<std::uint32_t>(argument.inputs.size())});
  }
  for (const Result& from : program.results) {
    ResultShape& to = result.results.emplace_back();
    to.accumulate = from.fate == Fate::accumulated;
    for (const NodeId id : from.values) to.values.push_back(number.at(id));
  }
  return result;
}

std::string CanonicalProgram::key() const {
  std::string bytes;
  bytes.reserve(nodes.size() * (sizeof(Op) + 2 * sizeof(NodeId) + sizeof(double)));
  append(bytes, nodes.size());
  for (const Node& node : nodes) {
    append(bytes, node.op);
    append(bytes, node.a);
    append(bytes, node.b);
    append(bytes, node.value);
  }
  append(bytes, arguments.size());
  for (const ArgumentShape& argument : arguments) {
    append(bytes, argument.rate);
    append(bytes, argument.components);
  }
  append(bytes, results.size());
  for (const ResultShape& shape : results) {
    append(bytes, shape.accumulate);
    append(bytes, shape.values.size());
    for (const NodeId id : shape.values) append(bytes, id);
  }
  return bytes;
}

}  // namespace divker::jit
