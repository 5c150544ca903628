// What drives what through which parameter, and parameters by patterns of their names.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "divker/error.hpp"
#include "divker/expression.hpp"
#include "divker/structure.hpp"
#include "model/names.hpp"

namespace divker {
namespace {

// With a star for any text.
bool is_like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*') {
    return is_like(text, pattern.substr(1)) || (!text.empty() && is_like(text.substr(1), pattern));
  }
  return !text.empty() && text.front() == pattern.front() &&
         is_like(text.substr(1), pattern.substr(1));
}

// "A[2,5]" is "A" and "2", "5".
struct IndexedName {
  std::string stem;
  std::vector<std::string> indices;
};

IndexedName taken_apart(std::string_view name) {
  IndexedName parts;
  const std::size_t open = name.find('[');
  parts.stem = name.substr(0, open);
  if (open == std::string_view::npos) return parts;
  std::string index;
  for (const char c : name.substr(open + 1)) {
    if (c == ',' || c == ']') {
      parts.indices.push_back(std::move(index));
      index.clear();
    } else if (c != ' ') {
      index += c;
    }
  }
  return parts;
}

bool is_letter_index(const std::string& index) { return is_identifier(index); }

// Letters are the same number where they are the same, and different numbers where they are not.
bool indices_match(const std::vector<std::string>& indices,
                   const std::vector<std::string>& pattern) {
  if (pattern.size() > indices.size()) return false;
  std::map<std::string, std::string> meaning;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (!is_letter_index(pattern[i])) {
      if (!is_like(indices[i], pattern[i])) return false;
      continue;
    }
    if (meaning.emplace(pattern[i], indices[i]).first->second != indices[i]) return false;
  }
  for (const auto& [one, number] : meaning) {
    const auto same = [&, n = number](const auto& other) { return other.second == n; };
    if (std::ranges::count_if(meaning, same) > 1) return false;
  }
  return true;
}

bool has_letters(const IndexedName& pattern) {
  return std::ranges::any_of(pattern.indices, is_letter_index);
}

}  // namespace

std::vector<std::size_t> parameters_like(const Model& model, std::string_view pattern) {
  const IndexedName asked = taken_apart(pattern);
  if (pattern.find('*') == std::string_view::npos && !has_letters(asked)) {
    return model.parameter_indices(pattern);
  }
  std::vector<std::size_t> found;
  for (std::size_t p = 0; p < model.parameters().size(); ++p) {
    const IndexedName parts = taken_apart(model.parameters()[p].name);
    if (is_like(parts.stem, asked.stem) && indices_match(parts.indices, asked.indices)) {
      found.push_back(p);
    }
  }
  if (found.empty()) {
    std::vector<std::string> known;
    for (const Family& family : model.parameter_families()) known.push_back(family.name);
    throw Error(ErrorKind::usage, fmt::format("No parameter of the model {} is like {}; its "
                                              "parameters are: {}.",
                                              model.name(), in_quotes(pattern), list_of(known)));
  }
  return found;
}

std::vector<Coupling> couplings_through(const Model& model, std::size_t parameter) {
  Graph graph(*model.graph());
  const Expression variable = graph.at(model.parameters().at(parameter).node);
  const std::array<Expression, 1> variables{variable};
  std::vector<Coupling> all;
  const auto add = [&](NodeId node, std::size_t to, bool by_noise) {
    if (!depends_on(graph.at(node), variables)) return;
    const std::array<NodeId, 1> roots{derivative(graph.at(node), variable).id()};
    const std::vector<NodeId> met = reachable(graph, roots);
    Coupling one{model.parameters()[parameter].name, "", model.states()[to].name, by_noise};
    const std::size_t before = all.size();
    for (const State& state : model.states()) {
      if (!std::ranges::binary_search(met, state.node)) continue;
      one.from = state.name;
      all.push_back(one);
    }
    if (all.size() == before) all.push_back(one);
  };
  for (std::size_t i = 0; i < model.dimension(); ++i) add(model.drift()[i], i, false);
  for (const NoiseEntry& entry : model.noise()) add(entry.amplitude, entry.row, true);
  return all;
}

}  // namespace divker
