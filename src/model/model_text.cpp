#include "model/model_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <span>
#include <string_view>

namespace divker {
namespace {

// Beyond these an expression gets a name of its own, so that nothing shared is written twice and
// no line becomes endless.
constexpr std::size_t shared_size = 64;
constexpr std::size_t longest = 2'000;
constexpr std::size_t deepest = 50;

// One number where all are equal, else a list, of a matrix by rows.
std::string one_or_all(std::span<const double> values, std::size_t columns) {
  const bool equal =
      std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
  if (equal) return fmt::format("{}", values.front());
  if (columns == 0) return fmt::format("[{}]", fmt::join(values, ", "));
  std::vector<std::string> rows;
  for (std::size_t begin = 0; begin < values.size(); begin += columns) {
    rows.push_back(fmt::format("[{}]", fmt::join(values.subspan(begin, columns), ", ")));
  }
  return fmt::format("[{}]", fmt::join(rows, ", "));
}

// A unit that needs no quotes: K, m/s, 1/day.
bool is_plain(std::string_view unit) {
  const auto is_word = [](std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    });
  };
  const std::size_t slash = unit.find('/');
  if (slash == std::string_view::npos) return is_word(unit);
  const std::string_view above = unit.substr(0, slash);
  return (above == "1" || is_word(above)) && is_word(unit.substr(slash + 1));
}

// A term of a sum, before its differential or factor.
std::string as_term(const std::string& text) {
  return text.find(' ') == std::string::npos ? text : "(" + text + ")";
}

class Writer {
 public:
  explicit Writer(const Model& model) : model_(model), graph_(*model.graph()) {}

  std::string write() {
    line("model " + model_.name());
    for (std::size_t f = 0; f < model_.parameter_families().size(); ++f) {
      line(parameter_statement(model_, f));
    }
    for (const Input& input : model_.inputs()) line(input_statement(input));
    for (const Family& family : model_.state_families()) {
      line("state " + family.name + (family.is_vector ? fmt::format("[{}]", family.size) : "") +
           label_text(model_, family.name) + (family.periodic ? " periodic" : "") +
           (family.range.is_whole() ? "" : " " + family.range.text()));
    }
    write_lets();
    for (std::size_t i = 0; i < model_.dimension(); ++i) line(equation(i));
    for (const Family& family : model_.state_families()) write_initial(family);
    for (const Observation& y : model_.observations()) line(observation(y));
    for (const PathFunctional& one : model_.functionals()) line(functional(one));
    line(time_statement(model_.time()));
    return std::move(text_);
  }

 private:
  void line(const std::string& statement) { text_ += statement + "\n"; }
  [[nodiscard]] std::string text(NodeId id) const {
    const auto named = names_.find(id);
    return named != names_.end() ? named->second : to_string(graph_, id, names_);
  }

  [[nodiscard]] std::vector<NodeId> roots() const {
    std::vector<NodeId> all = model_.drift();
    for (const NoiseEntry& entry : model_.noise()) all.push_back(entry.amplitude);
    for (const auto& [name, nodes] : model_.lets())
      all.insert(all.end(), nodes.begin(), nodes.end());
    for (const Observation& y : model_.observations()) {
      all.insert(all.end(), {y.value, y.deviation});
    }
    for (const PathFunctional& one : model_.functionals()) all.push_back(one.followed);
    return all;
  }

  // One pass from operands to results; a let of the model is written as soon as its last component
  // can be.
  void write_lets() {
    const std::vector<NodeId> all = roots();
    std::unordered_map<NodeId, std::size_t> uses;
    std::multimap<NodeId, std::string> finished;
    for (const auto& [name, nodes] : model_.lets()) {
      finished.emplace(*std::max_element(nodes.begin(), nodes.end()), name);
    }
    const std::vector<NodeId> nodes = reachable(graph_, all);
    for (const NodeId id : nodes) {
      const Node& node = graph_.node(id);
      if (is_leaf(node.op)) continue;
      ++uses[node.a];
      if (is_binary(node.op)) ++uses[node.b];
    }
    for (const NodeId id : all) ++uses[id];

    struct Extent {
      std::size_t size = 1;
      std::size_t depth = 0;
    };
    std::unordered_map<NodeId, Extent> extents;
    for (const NodeId id : nodes) {
      const Node& node = graph_.node(id);
      Extent extent;
      if (!is_leaf(node.op)) {
        const Extent a = names_.contains(node.a) ? Extent{} : extents[node.a];
        const Extent b =
            !is_binary(node.op) || names_.contains(node.b) ? Extent{} : extents[node.b];
        extent = {a.size + b.size + 1, std::max(a.depth, b.depth) + 1};
      }
      extents[id] = extent;
      if ((uses[id] > 1 && extent.size > shared_size) || extent.size > longest ||
          extent.depth > deepest) {
        name_shared(id);
      }
      const auto [begin, end] = finished.equal_range(id);
      for (auto it = begin; it != end; ++it) write_let(it->second);
    }
  }

  void name_shared(NodeId id) {
    std::string name;
    do {
      name = fmt::format("shared{}", ++shared_count_);
    } while (is_declared(name));
    line("let " + name + " = " + to_string(graph_, id, names_));
    names_[id] = name;
  }

  void write_let(const std::string& name) {
    const std::vector<NodeId>& nodes = model_.lets().at(name);
    std::vector<std::string> texts;
    texts.reserve(nodes.size());
    for (const NodeId id : nodes) texts.push_back(text(id));
    line(nodes.size() == 1 ? fmt::format("let {} = {}", name, texts.front())
                           : fmt::format("let {} = [{}]", name, fmt::join(texts, ", ")));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (is_leaf(graph_.node(nodes[i]).op) || names_.contains(nodes[i])) continue;
      names_[nodes[i]] = nodes.size() == 1 ? name : fmt::format("{}[{}]", name, i);
    }
  }

  [[nodiscard]] bool is_declared(const std::string& name) const {
    const auto named = [&name](const Family& family) { return family.name == name; };
    return model_.lets().contains(name) ||
           std::ranges::any_of(model_.inputs(), [&](const Input& u) { return u.name == name; }) ||
           std::any_of(model_.functional_families().begin(), model_.functional_families().end(),
                       named) ||
           std::any_of(model_.state_families().begin(), model_.state_families().end(), named) ||
           std::any_of(model_.parameter_families().begin(), model_.parameter_families().end(),
                       named);
  }

  [[nodiscard]] std::string equation(std::size_t row) const {
    const bool map = model_.dynamics() == Dynamics::map;
    const std::string& name = model_.states()[row].name;
    const std::string rate = text(model_.drift()[row]);
    std::string result = map ? name + "' = " + rate : "d" + name + " = " + as_term(rate) + " dt";
    const auto [begin, end] =
        std::equal_range(model_.noise().begin(), model_.noise().end(), NoiseEntry{row, 0, 0},
                         [](const NoiseEntry& a, const NoiseEntry& b) { return a.row < b.row; });
    for (auto entry = begin; entry != end; ++entry) {
      const std::string& noise = model_.noise_names()[entry->column];
      const std::string amplitude = as_term(text(entry->amplitude));
      result += " + " + amplitude + (map ? "*" + map_noise_name(noise) : " d" + noise);
    }
    return result;
  }

  // In a map what begins with xi is noise.
  [[nodiscard]] static std::string map_noise_name(const std::string& name) {
    return name.starts_with("xi") ? name : "xi_" + name;
  }

  [[nodiscard]] std::string law(std::size_t row) const {
    const InitialLaw& initial = model_.initial()[row];
    switch (initial.kind) {
      case InitialKind::normal:
        return fmt::format(" ~ normal({}, {})", to_string(graph_, initial.a),
                           to_string(graph_, initial.b));
      case InitialKind::lognormal:
        return fmt::format(" ~ lognormal({}, {})", to_string(graph_, initial.a),
                           to_string(graph_, initial.b));
      case InitialKind::point:
        return " = " + to_string(graph_, initial.a);
      case InitialKind::samples:
        return fmt::format(" ~ samples(\"{}\")", initial.file);
    }
    return "";
  }

  [[nodiscard]] std::string observation(const Observation& y) const {
    const std::string stem = y.name.substr(0, y.name.find('['));
    const std::string label = label_text(model_, model_.labels().contains(stem) ? stem : y.name);
    if (!y.noisy) return fmt::format("observe {} = {}{}", y.name, text(y.value), label);
    return fmt::format("observe {} ~ normal({}, {}){}", y.name, text(y.value), text(y.deviation),
                       label);
  }

  [[nodiscard]] std::string functional(const PathFunctional& one) const {
    return fmt::format("path {} = {}({}{})", one.name, one.kind->name(), text(one.followed),
                       one.kind->takes_condition() ? " > 0" : "");
  }

  void write_initial(const Family& family) {
    std::vector<std::string> laws;
    for (std::size_t i = 0; i < family.size; ++i) laws.push_back(law(family.first + i));
    const bool all_equal = std::equal(laws.begin() + 1, laws.end(), laws.begin());
    if (all_equal) return line("init " + family.name + laws.front());
    for (std::size_t i = 0; i < family.size; ++i) {
      line("init " + model_.states()[family.first + i].name + laws[i]);
    }
  }

  const Model& model_;
  const Graph& graph_;
  NodeNames names_;
  std::size_t shared_count_ = 0;
  std::string text_;
};

}  // namespace

std::string text_by_component(const Model& model) { return Writer(model).write(); }

std::string parameter_statement(const Model& model, std::size_t family) {
  const Family& f = model.parameter_families()[family];
  const std::span<const Parameter> all(&model.parameters()[f.first], f.size);
  const auto each = [&](double Parameter::*number) {
    std::vector<double> numbers;
    for (const Parameter& p : all) numbers.push_back(p.*number);
    return one_or_all(numbers, f.columns);
  };
  std::string text = "param " + f.name;
  if (f.columns > 0) {
    text += fmt::format("[{}, {}]", f.size / f.columns, f.columns);
  } else if (f.is_vector) {
    text += fmt::format("[{}]", f.size);
  }
  text += " = " + each(&Parameter::value);
  if (std::ranges::any_of(all, [](const Parameter& p) {
        return std::isfinite(p.lower) || std::isfinite(p.upper);
      })) {
    text += fmt::format(" in ({}, {})", each(&Parameter::lower), each(&Parameter::upper));
  }
  return text + (all.front().fixed ? " fixed" : "") + label_text(model, f.name);
}

std::string label_text(const Model& model, const std::string& name) {
  const auto found = model.labels().find(name);
  if (found == model.labels().end()) return {};
  const Label& label = found->second;
  std::string text = fmt::format(" \"{}\"", label.words);
  if (label.unit.empty()) return text;
  if (is_plain(label.unit)) return text + fmt::format(" [{}]", label.unit);
  return text + fmt::format(" [\"{}\"]", label.unit);
}

std::string error_statements(const Model& model) {
  std::string text;
  for (const EstimateError& one : model.errors()) {
    text += fmt::format("estimated {} +- {:.6g}", model.parameters()[one.parameter].name,
                        one.standard_error);
    if (std::ranges::any_of(one.correlations, [](double r) { return r != 0.0; })) {
      std::vector<std::string> all;
      for (const double r : one.correlations) all.push_back(fmt::format("{:.6g}", r));
      text += fmt::format(" correlations [{}]", fmt::join(all, ", "));
    }
    text += "\n";
  }
  return text;
}

std::string input_statement(const Input& input) {
  std::string text = fmt::format("input {}(t) from \"{}\"", input.name,
                                 input.file.empty() ? input.name + ".csv" : input.file);
  if (input.time_column != "t" || input.column_of_values() != input.name) {
    text += fmt::format(" columns \"{}\", \"{}\"", input.time_column, input.column_of_values());
  }
  if (input.interpolation == Interpolation::step) text += " step";
  return text + (input.hold ? " hold" : "");
}

std::string network_text(const Model& model, std::size_t network) {
  const Network& net = model.networks()[network];
  std::string text = net.layers_text();
  if (net.seed != Network{}.seed) text += fmt::format(" seed {}", net.seed);
  const std::vector<double> weights = model.weights(network);
  const bool initial = weights == net.initial_weights();
  if (!net.file.empty() && (net.read ? weights == *net.read : initial)) {
    text += fmt::format(" weights \"{}\"", net.file);
  } else if (!initial) {
    text += fmt::format(" weights [{}]", fmt::join(weights, ", "));
  }
  return text + (net.fixed ? " fixed" : "");
}

std::string time_statement(const TimeGrid& grid) {
  std::string text = fmt::format("time {} : {} : {}", grid.start, grid.step, grid.end);
  if (grid.tamed > 0.0) text += " tamed";
  if (grid.tamed > 0.0 && grid.tamed != 1.0) text += fmt::format(" {}", grid.tamed);
  return text;
}

}  // namespace divker
