#include "present/loading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "divker/error.hpp"
#include "divker/expression.hpp"
#include "divker/language.hpp"
#include "divker/npy.hpp"
#include "divker/table.hpp"
#include "numbers/number_in.hpp"

namespace divker::present {
namespace {

namespace fs = std::filesystem;

// A model may come from a stranger: the files that it names lie beside it or below, or in the
// current folder or below.
void check_within(const Model& model, const std::string& takes, const fs::path& file) {
  const bool climbs = std::find(file.begin(), file.end(), "..") != file.end();
  if (!file.is_absolute() && !climbs) return;
  throw Error(ErrorKind::model,
              fmt::format("The model {} {} '{}'; a model may only name files in its own folder or "
                          "below, without '..'.",
                          model.name(), takes, file.string()));
}

// `takes` says what for: "starts from the samples in".
fs::path path_of(const Model& model, const std::string& takes, const std::string& file,
                 const fs::path& folder) {
  check_within(model, takes, file);
  fs::path beside = folder / file;
  std::error_code error;
  if (fs::exists(beside, error)) return beside;
  if (fs::exists(file, error)) return file;
  throw Error(ErrorKind::model,
              fmt::format("The model {} {} '{}', but there is no such file beside the model or in "
                          "the current folder.",
                          model.name(), takes, file));
}

// The tables of a model, each read once.
class Tables {
 public:
  explicit Tables(std::vector<std::string>& remarks) : remarks_(remarks) {}
  const Table& read(const fs::path& path) {
    const auto [place, is_new] = tables_.try_emplace(path);
    if (is_new) {
      place->second = read_table(path);
      const std::vector<std::string>& said = place->second.remarks;
      remarks_.insert(remarks_.end(), said.begin(), said.end());
    }
    return place->second;
  }

 private:
  std::vector<std::string>& remarks_;
  std::map<fs::path, Table> tables_;
};

std::shared_ptr<const Knots> knots_of(const Input& input, const Table& table,
                                      const std::string& source) {
  const std::vector<std::string> wanted{input.time_column, input.column_of_values()};
  const Matrix columns = select_columns(table, wanted, source);
  std::vector<double> times = columns.column(0);
  std::vector<double> values = columns.column(1);
  if (const auto fault = Knots::fault(times, values)) {
    const bool has_line = fault->knot < table.lines.size();
    throw Error(ErrorKind::model,
                fmt::format("{}{}: the knots of the input {}: {}", source,
                            has_line ? fmt::format(":{}", table.lines[fault->knot])
                                     : fmt::format(", row {}", fault->knot + 1),
                            input.name, fault->sentence));
  }
  return std::make_shared<const Knots>(std::move(times), std::move(values));
}

Model with_samples_read(const Model& model, const fs::path& folder, Tables& tables) {
  if (!model.starts_from_samples()) return model;
  std::map<std::string, std::vector<std::size_t>> states_of_file;
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    const InitialLaw& law = model.initial()[i];
    if (law.kind == InitialKind::samples) states_of_file[law.file].push_back(i);
  }
  auto samples = std::make_shared<Matrix>();
  for (const auto& [file, states] : states_of_file) {
    const fs::path path = path_of(model, "starts from the samples in", file, folder);
    std::vector<std::string> names;
    for (const std::size_t i : states) names.push_back(model.states()[i].name);
    const Matrix values = select_columns(tables.read(path), names, path.string());
    if (samples->rows == 0) *samples = Matrix(values.rows, model.dimension());
    if (values.rows != samples->rows) {
      throw Error(ErrorKind::model,
                  fmt::format("{} has {} rows of initial samples, another file of the model {}.",
                              path.string(), values.rows, samples->rows));
    }
    for (std::size_t r = 0; r < values.rows; ++r) {
      for (std::size_t c = 0; c < states.size(); ++c) (*samples)(r, states[c]) = values(r, c);
    }
  }
  return model.with_samples(std::move(samples));
}

Model with_inputs_read(const Model& model, const fs::path& folder, Tables& tables) {
  if (model.inputs().empty()) return model;
  std::vector<std::shared_ptr<const Knots>> knots;
  for (const Input& input : model.inputs()) {
    const std::string takes = fmt::format("takes the input {} from", input.name);
    const fs::path path = path_of(model, takes, input.file, folder);
    knots.push_back(knots_of(input, tables.read(path), path.string()));
  }
  return model.with_inputs(knots);
}

Model with_weights_read(Model model, const fs::path& folder, Tables& tables) {
  for (std::size_t n = 0; n < model.networks().size(); ++n) {
    const Network network = model.networks()[n];
    if (network.file.empty() || network.read) continue;
    const std::string takes = fmt::format("takes the weights of the network {} from", network.name);
    const fs::path path = path_of(model, takes, network.file, folder);
    const std::vector<double>& numbers = tables.read(path).values.data;
    model = model.with_weights(n, network.from_file(numbers, path.string()), network.file);
  }
  return model;
}

}  // namespace

Model with_weights_written(Model model, const fs::path& file) {
  for (std::size_t n = 0; n < model.networks().size(); ++n) {
    const Network& network = model.networks()[n];
    const std::string own = fmt::format("{}.{}.npy", file.stem().string(), network.name);
    const std::vector<double> weights = model.weights(n);
    const std::vector<double> numbers = network.to_file(weights);
    Matrix column(numbers.size(), 1);
    column.data = numbers;
    write_npy(file.parent_path() / own, column);
    model = model.with_weights(n, weights, own);
  }
  return model;
}

Model with_fixed(const Model& model, const std::vector<std::string>& names, bool fixed) {
  std::vector<std::size_t> all;
  for (const std::string& name : names) {
    const std::vector<std::size_t> indices = model.parameter_indices(name);
    all.insert(all.end(), indices.begin(), indices.end());
  }
  Model copy = model.with_fixed(all, fixed);
  if (!fixed) (void)parse_model(copy.text());
  return copy;
}

Model with_values(Model model, const Values& values) {
  TimeGrid grid = model.time();
  bool new_grid = false;
  bool new_numbers = false;
  std::vector<double> numbers = model.parameter_values();
  std::vector<std::size_t> known;
  for (const auto& [name, value] : values) {
    if (set_in_grid(grid, name, value)) {
      new_grid = true;
    } else {
      new_numbers = true;
      for (const std::size_t index : model.parameter_indices(name)) {
        numbers[index] = value;
        known.push_back(index);
      }
    }
  }
  if (new_numbers) model = model.with_parameters(numbers).without_errors_of(known);
  return new_grid ? model.with_time(grid) : model;
}

namespace {

bool is_plain_word(const std::string& text) {
  return std::ranges::all_of(text,
                             [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

// The expression at the model's own values; it may name its parameters, dt and T.
double evaluated(const std::string& text, const Model& model) {
  Graph graph(*model.graph());
  const std::vector<std::pair<std::string, double>> grid{{"dt", model.time().step},
                                                         {"T", model.time().end}};
  const Expression value = parse_expression(text, model, graph, grid);
  std::vector<double> inputs(graph.input_count());
  std::set<NodeId> known;
  for (const Parameter& parameter : model.parameters()) {
    inputs[graph.node(parameter.node).a] = parameter.value;
    known.insert(parameter.node);
  }
  const NodeId root = value.id();
  for (const NodeId id : reachable(graph, {&root, 1})) {
    const Node& node = graph.node(id);
    if (node.op != Op::input || known.contains(id)) continue;
    throw Error(ErrorKind::usage,
                fmt::format("it depends on {}; a value may depend on parameters, dt and T alone.",
                            graph.input_name(node.a)));
  }
  const double result = evaluate(graph, {&root, 1}, inputs).front();
  if (std::isfinite(result)) return result;
  throw Error(ErrorKind::usage, fmt::format("its value is {}.", result));
}

}  // namespace

Model with_settings(const Model& model, const Settings& settings, Voice voice) {
  Values values;
  for (const auto& [name, text] : settings) {
    const std::optional<double> number = number_in(text);
    const std::string written = spelled(voice, "set", fmt::format("{}={}", name, text));
    const bool is_parameter = std::ranges::any_of(
        model.parameters(), [&, &word = text](const Parameter& p) { return p.name == word; });
    if (!number && is_plain_word(text) && !is_parameter && text != "dt" && text != "T") {
      throw Error(ErrorKind::usage, fmt::format("{}: '{}' is not a number.", written, text));
    }
    try {
      values.emplace_back(name, number ? *number : evaluated(text, model));
    } catch (const Error& error) {
      throw Error(ErrorKind::usage, fmt::format("{}: {}", written, error.what()));
    }
  }
  return with_values(model, values);
}

Model with_inputs_read(const Model& model, const fs::path& folder,
                       std::vector<std::string>& remarks) {
  Tables tables(remarks);
  return with_inputs_read(with_weights_read(model, folder, tables), folder, tables);
}

Model with_files_read(const Model& model, const fs::path& folder,
                      std::vector<std::string>& remarks) {
  Tables tables(remarks);
  const Model read = with_inputs_read(with_weights_read(model, folder, tables), folder, tables);
  return with_samples_read(read, folder, tables);
}

Model load_with_files(const std::string& file_or_name, std::vector<std::string>& remarks) {
  return with_files_read(load_model(file_or_name), fs::path(file_or_name).parent_path(), remarks);
}

}  // namespace divker::present
