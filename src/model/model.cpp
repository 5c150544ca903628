#include "divker/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "divker/error.hpp"
#include "model/fingerprint.hpp"
#include "model/model_text.hpp"
#include "model/names.hpp"
#include "model/noise_check.hpp"

namespace divker {
namespace {

void check_bounds(const Parameter& parameter, double value) {
  if (std::isfinite(value) && value > parameter.lower && value < parameter.upper) return;
  throw Error(ErrorKind::model,
              fmt::format("The parameter {} = {} is outside its bounds ({}, {}).", parameter.name,
                          value, parameter.lower, parameter.upper));
}

[[noreturn]] void unknown_parameter(const Model& model, std::string_view name) {
  std::vector<std::string> known;
  for (const Family& family : model.parameter_families()) known.push_back(family.name);
  throw Error(
      ErrorKind::usage,
      fmt::format("There is no parameter {} in the model {}; its parameters are: {}.{}",
                  in_quotes(name), model.name(), list_of(known), did_you_mean(name, known)));
}

std::vector<std::size_t> range_of_indices(std::size_t first, std::size_t count) {
  std::vector<std::size_t> indices(count);
  std::iota(indices.begin(), indices.end(), first);
  return indices;
}

constexpr std::size_t no_index = std::numeric_limits<std::size_t>::max();

// Of "[3]" and "[1,2]"; no_index for what is none.
std::pair<std::size_t, std::size_t> indices_in(std::string_view text) {
  std::array<std::size_t, 2> found{no_index, no_index};
  const char* at = text.data();
  const char* last = at + text.size();
  for (std::size_t& index : found) {
    const auto [end, error] = std::from_chars(at + 1, last, index);
    const bool is_written =
        error == std::errc() && end != last && (*(at + 1) != '0' || end == at + 2);
    if (!is_written) return {no_index, no_index};
    at = end;
    if (*at == ']') break;
    if (*at != ',') return {no_index, no_index};
  }
  if (*at != ']' || at + 1 != last) return {no_index, no_index};
  return {found[0], found[1]};
}

}  // namespace

std::string_view name_of(NoiseClass noise_class) {
  switch (noise_class) {
    case NoiseClass::scalar:
      return "scalar";
    case NoiseClass::diagonal:
      return "diagonal";
    case NoiseClass::full:
      return "full";
    case NoiseClass::degenerate:
      return "degenerate";
  }
  return "diagonal";
}

bool Model::has_initial_density() const {
  return std::all_of(initial_.begin(), initial_.end(), [](const InitialLaw& law) {
    return law.kind == InitialKind::normal || law.kind == InitialKind::lognormal;
  });
}

bool Model::starts_from_samples() const {
  return std::any_of(initial_.begin(), initial_.end(),
                     [](const InitialLaw& law) { return law.kind == InitialKind::samples; });
}

bool Range::is_whole() const { return std::isinf(lower) && std::isinf(upper); }
bool Range::is_finite() const { return std::isfinite(lower) && std::isfinite(upper); }

std::string Range::text() const {
  return *this == positive() ? "positive" : fmt::format("in ({}, {})", lower, upper);
}

bool Model::has_bounded_states() const {
  return std::any_of(states_.begin(), states_.end(),
                     [](const State& state) { return !state.range.is_whole(); });
}

Model Model::stepped_in_roots() const {
  Model result = *this;
  result.in_roots_ = true;
  return result;
}

std::vector<double> Model::parameter_values() const {
  std::vector<double> values;
  values.reserve(parameters_.size());
  for (const Parameter& parameter : parameters_) values.push_back(parameter.value);
  return values;
}

std::size_t Model::parameter_index(std::string_view name) const {
  const auto found = std::find_if(parameters_.begin(), parameters_.end(),
                                  [name](const Parameter& p) { return p.name == name; });
  if (found == parameters_.end()) unknown_parameter(*this, name);
  return static_cast<std::size_t>(found - parameters_.begin());
}

std::string Family::component(std::size_t i) const {
  if (!is_vector) return name;
  return columns == 0 ? fmt::format("{}[{}]", name, i)
                      : fmt::format("{}[{},{}]", name, i / columns, i % columns);
}

std::vector<std::size_t> Model::parameter_indices(std::string_view name) const {
  std::string written;  // "a[1, 2]" may have spaces
  if (name.ends_with(']')) {
    std::ranges::copy_if(name, std::back_inserter(written), [](char c) { return c != ' '; });
    name = written;
  }
  for (const Family& family : parameter_families_) {
    if (family.name != name) continue;
    return range_of_indices(family.first, family.size);
  }
  for (const Family& family : parameter_families_) {
    if (!family.is_vector || !name.starts_with(family.name + "[")) continue;
    const auto [i, j] = indices_in(name.substr(family.name.size()));
    const std::size_t columns = std::max<std::size_t>(family.columns, 1);
    if (family.columns > 0 && i < family.size / columns && j < columns) {
      return {family.first + i * columns + j};
    }
    const bool alone = j == no_index;
    if (alone && i < family.size / columns) {
      return range_of_indices(family.first + i * columns, columns);
    }
    throw Error(ErrorKind::usage,
                fmt::format("There is no component {} of the parameter {}; its components are {} "
                            "to {}.",
                            in_quotes(name), family.name, family.component(0),
                            family.component(family.size - 1)));
  }
  for (const Network& network : networks_) {
    if (network.name == name) return range_of_indices(network.first, network.weight_count());
  }
  unknown_parameter(*this, name);
}

std::vector<double> Model::weights(std::size_t network) const {
  const Network& net = networks_.at(network);
  std::vector<double> values(net.weight_count());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = parameters_[net.first + i].value;
  return values;
}

Model Model::with_weights(std::size_t network, std::span<const double> weights,
                          const std::string& file) const {
  const Network& net = networks_.at(network);
  if (weights.size() != net.weight_count()) {
    throw Error(ErrorKind::usage,
                fmt::format("{} weights were given for the network {}, which has {}.",
                            weights.size(), net.name, net.weight_count()));
  }
  std::vector<double> values = parameter_values();
  std::ranges::copy(weights, values.begin() + static_cast<std::ptrdiff_t>(net.first));
  Model copy = with_parameters(values);
  copy.networks_[network].file = file;
  copy.networks_[network].read =
      file.empty() ? nullptr
                   : std::make_shared<const std::vector<double>>(weights.begin(), weights.end());
  return copy;
}

std::vector<std::size_t> Model::free_parameters() const {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].fixed) indices.push_back(i);
  }
  return indices;
}

Model Model::with_value(std::string_view name, double value) const {
  if (TimeGrid grid = time_grid_; set_in_grid(grid, name, value)) return with_time(grid);
  std::vector<double> values = parameter_values();
  for (const std::size_t index : parameter_indices(name)) values[index] = value;
  return with_parameters(values);
}

Model Model::with_parameters(std::span<const double> values) const {
  if (values.size() != parameters_.size()) {
    throw Error(ErrorKind::usage,
                fmt::format("{} values were given for the {} parameters of the model {}.",
                            values.size(), parameters_.size(), name_));
  }
  Model copy = *this;
  for (std::size_t i = 0; i < values.size(); ++i) {
    check_bounds(parameters_[i], values[i]);
    copy.parameters_[i].value = values[i];
  }
  copy.singular_noise_ = singular_noise_at_start(copy);
  return copy;
}

Model Model::with_fixed(std::span<const std::size_t> parameters, bool fixed) const {
  Model copy = *this;
  for (const std::size_t index : parameters) copy.parameters_.at(index).fixed = fixed;
  return copy;
}

Model Model::with_time(const TimeGrid& grid) const {
  grid.validate();
  if (dynamics_ == Dynamics::map && grid.step != 1.0) {
    throw Error(ErrorKind::model, fmt::format("The model {} is a map: its time step is 1, not {}.",
                                              name_, grid.step));
  }
  if (dynamics_ == Dynamics::map && grid.tamed != 0.0) {
    throw Error(ErrorKind::model,
                fmt::format("The model {} is a map: it has no drift that could be tamed.", name_));
  }
  Model copy = *this;
  copy.time_grid_ = grid;
  return copy;
}

Model Model::with_errors(std::vector<EstimateError> errors) const {
  for (std::size_t k = 0; k < errors.size(); ++k) {
    const EstimateError& one = errors[k];
    if (one.parameter >= parameters_.size() ||
        (k > 0 && one.parameter <= errors[k - 1].parameter)) {
      throw Error(ErrorKind::model,
                  fmt::format("The errors of estimates of the model {} are not in the order of its "
                              "parameters, each once.",
                              name_));
    }
    const std::string& parameter = parameters_[one.parameter].name;
    if (!std::isfinite(one.standard_error) || one.standard_error <= 0.0) {
      throw Error(
          ErrorKind::model,
          fmt::format("The standard error of the estimate of {} is {}; it must be positive.",
                      parameter, one.standard_error));
    }
    if (one.correlations.size() > k) {
      throw Error(
          ErrorKind::model,
          fmt::format("The estimate of {} has {} correlations, but only {} estimate{} "
                      "before it.",
                      parameter, one.correlations.size(), k, k == 1 ? " stands" : "s stand"));
    }
    for (const double r : one.correlations) {
      if (r >= -1.0 && r <= 1.0) continue;
      throw Error(ErrorKind::model,
                  fmt::format("A correlation of the estimate of {} is {}; it must be between -1 "
                              "and 1.",
                              parameter, r));
    }
  }
  Model copy = *this;
  copy.errors_ = std::move(errors);
  return copy;
}

Model Model::without_errors_of(std::span<const std::size_t> parameters) const {
  std::vector<EstimateError> kept;
  std::vector<bool> keeps;
  for (const EstimateError& one : errors_) {
    keeps.push_back(std::ranges::find(parameters, one.parameter) == parameters.end());
    if (!keeps.back()) continue;
    EstimateError& left = kept.emplace_back(EstimateError{one.parameter, one.standard_error, {}});
    for (std::size_t j = 0; j < one.correlations.size(); ++j) {
      if (keeps[j]) left.correlations.push_back(one.correlations[j]);
    }
  }
  Model copy = *this;
  copy.errors_ = std::move(kept);
  return copy;
}

std::string Model::title_of(std::string_view name) const {
  const std::string_view stem = name.substr(0, name.find('['));
  auto found = labels_.find(std::string(name));
  if (found == labels_.end()) found = labels_.find(std::string(stem));
  if (found == labels_.end()) return std::string(name);
  const bool is_component = found->first != name;
  return found->second.words + (is_component ? std::string(name.substr(stem.size())) : "") +
         (found->second.unit.empty() ? "" : fmt::format(" [{}]", found->second.unit));
}

Model Model::starting_from_samples(const std::string& file) const {
  Model copy = *this;
  Graph graph(*graph_);
  const NodeId zero = graph.constant(0.0).id();
  copy.graph_ = std::make_shared<const Graph>(std::move(graph));
  for (InitialLaw& law : copy.initial_) law = {InitialKind::samples, zero, zero, file};
  copy.printer_ = nullptr;
  return copy;
}

Model Model::with_samples(std::shared_ptr<const Matrix> rows) const {
  Model copy = *this;
  copy.samples_ = std::move(rows);
  return copy;
}

std::vector<NodeId> Model::time_nodes() const {
  std::vector<NodeId> nodes{time_};
  for (const Input& input : inputs_) nodes.push_back(input.node);
  return nodes;
}

bool Model::has_read_inputs() const {
  return std::ranges::all_of(inputs_, [](const Input& input) { return input.knots != nullptr; });
}

Model Model::with_inputs(std::span<const std::shared_ptr<const Knots>> knots) const {
  if (knots.size() != inputs_.size()) {
    throw Error(ErrorKind::usage,
                fmt::format("Knots of {} inputs were given; the model {} has {} inputs.",
                            knots.size(), name_, inputs_.size()));
  }
  Model copy = *this;
  for (std::size_t k = 0; k < knots.size(); ++k) copy.inputs_[k].knots = knots[k];
  copy.singular_noise_ = singular_noise_at_start(copy);
  return copy;
}

std::string Model::text() const {
  return (printer_ ? printer_(*this) : text_by_component(*this)) + error_statements(*this);
}

std::string Model::hash() const { return fmt::format("{:016x}", fingerprint(*this)); }

std::vector<double> Model::input_values(std::span<const double> x, double t) const {
  if (x.size() != dimension()) {
    throw Error(ErrorKind::usage,
                fmt::format("A point of {} components was given; the model {} has "
                            "{} states.",
                            x.size(), name_, dimension()));
  }
  std::vector<double> values(graph_->input_count());
  const auto set = [&](NodeId input, double value) { values[graph_->node(input).a] = value; };
  set(time_, t);
  for (const Input& input : inputs_) set(input.node, input.at(t));
  for (std::size_t i = 0; i < x.size(); ++i) set(states_[i].node, x[i]);
  for (const Parameter& parameter : parameters_) set(parameter.node, parameter.value);
  return values;
}

std::vector<double> Model::initial_mean() const {
  std::vector<NodeId> roots;
  for (const InitialLaw& law : initial_) roots.push_back(law.a);
  std::vector<double> mean(dimension());
  const auto found = evaluate(*graph_, roots, input_values(mean, time_grid_.start));
  for (std::size_t i = 0; i < mean.size(); ++i) {
    if (initial_[i].kind == InitialKind::samples) mean[i] = found[i];
  }
  const auto at_samples = evaluate(*graph_, roots, input_values(mean, time_grid_.start));
  for (std::size_t i = 0; i < mean.size(); ++i) {
    mean[i] = initial_[i].kind == InitialKind::lognormal ? std::exp(at_samples[i]) : at_samples[i];
  }
  return mean;
}

Matrix Model::noise_matrix(std::span<const double> x, double t) const {
  std::vector<NodeId> roots;
  for (const NoiseEntry& entry : noise_) roots.push_back(entry.amplitude);
  const std::vector<double> values = evaluate(*graph_, roots, input_values(x, t));
  Matrix s(dimension(), noise_count());
  for (std::size_t e = 0; e < noise_.size(); ++e) s(noise_[e].row, noise_[e].column) = values[e];
  return s;
}

}  // namespace divker
