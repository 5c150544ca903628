#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "divker/error.hpp"
#include "divker/model.hpp"
#include "divker/model_kinks.hpp"
#include "model/names.hpp"
#include "model/noise_check.hpp"

namespace divker {
namespace {

void check_parameter(const Parameter& p) {
  if (!(p.lower < p.upper)) {
    refuse(fmt::format("The bounds ({}, {}) of the parameter {} leave no value between them.",
                       p.lower, p.upper, p.name));
  }
  if (!std::isfinite(p.value) || p.value <= p.lower || p.value >= p.upper) {
    refuse(fmt::format("The parameter {} = {} is outside its bounds ({}, {}).", p.name, p.value,
                       p.lower, p.upper));
  }
}

void check_range(const std::string& name, const Range& range) {
  if (range.lower < range.upper) return;
  refuse(fmt::format("The range ({}, {}) of the state {} leaves no value between its ends.",
                     range.lower, range.upper, name));
}

void check_brownian_name(const std::string& name) {
  if (is_component_name(name)) return;
  refuse(fmt::format("A Brownian motion cannot be called {}; names are like W or W[3].",
                     in_quotes(name)));
}

void check_count(std::size_t count, std::size_t most, const std::string& what) {
  if (count > most) refuse(fmt::format("The model has {} {}; the limit is {}.", count, what, most));
}

void check_file_name(const std::string& file, const std::string& what) {
  if (file.size() > longest_file_name) {
    refuse(fmt::format("The name of the file of {} has {} bytes; the limit is {}.", what,
                       file.size(), longest_file_name));
  }
  if (file.empty() || file.find_first_of("\"\n\r") != std::string::npos) {
    refuse(fmt::format("The file of {} cannot be called {}.", what, in_quotes(file)));
  }
}

// Whatever is reachable must be made of the model's own inputs and of finite numbers.
void check_ingredients(const Graph& graph, std::span<const NodeId> roots,
                       const std::set<NodeId>& allowed, const std::string& what,
                       const std::string& allowed_words) {
  for (const NodeId id : reachable(graph, roots)) {
    const Node& node = graph.node(id);
    if (node.op == Op::constant && !std::isfinite(node.value)) {
      refuse(
          fmt::format("{} contains the constant {}; constants must be finite.", what, node.value));
    }
    if (node.op == Op::input && !allowed.contains(id)) {
      refuse(fmt::format("{} depends on {}; it may depend only on {}.", what,
                         in_quotes(graph.input_name(node.a)), allowed_words));
    }
  }
}

void check_no_clash(const Model& model, const std::set<std::string>& declared) {
  const bool map = model.dynamics() == Dynamics::map;
  for (const std::string& noise : model.noise_names()) {
    const std::string stem = noise.substr(0, noise.find('['));
    const std::string written = map ? stem : "d" + stem;
    if (declared.contains(written) || declared.contains(stem)) {
      refuse(
          fmt::format("The noise {} would be written {}, but {} is declared otherwise; rename "
                      "one of them.",
                      in_quotes(noise), in_quotes(written),
                      in_quotes(declared.contains(written) ? written : stem)));
    }
    if (is_reserved(written)) {
      refuse(fmt::format("The noise {} would be written {}, which is a word of the language.",
                         in_quotes(noise), in_quotes(written)));
    }
  }
}

}  // namespace

ModelBuilder::ModelBuilder(std::string name, Dynamics dynamics) : graph_(new Graph) {
  if (!is_identifier(name)) {
    refuse(
        fmt::format("A model cannot be called {}; names are made of letters, digits and "
                    "underscores.",
                    in_quotes(name)));
  }
  model_.name_ = std::move(name);
  model_.dynamics_ = dynamics;
  model_.time_ = graph_->input("t").id();
}

Expression ModelBuilder::time() { return graph_->at(model_.time_); }

void ModelBuilder::declare(const std::string& name, bool of_parameter) {
  if (name.size() > longest_name) {
    refuse(fmt::format("The name {} has {} characters; the limit is {}.", in_quotes(name),
                       name.size(), longest_name));
  }
  if (!is_identifier(name) && !(of_parameter && is_name_of_weights(name))) {
    refuse(
        fmt::format("{} is not a name; names are made of letters, digits and underscores and do "
                    "not begin with a digit.",
                    in_quotes(name)));
  }
  if (is_reserved(name)) {
    refuse(
        fmt::format("{} is a word of the model language and cannot be declared.", in_quotes(name)));
  }
  if (!names_.insert(name).second) refuse(fmt::format("{} is declared twice.", in_quotes(name)));
}

Expression ModelBuilder::parameter(const std::string& name, double value, double lower,
                                   double upper, bool fixed) {
  declare(name);
  check_count(model_.parameters_.size() + 1, most_parameters, "parameters");
  const Expression input = graph_->input(name);
  model_.parameter_families_.push_back({name, model_.parameters_.size(), 1, false, false, {}});
  model_.parameters_.push_back({name, value, lower, upper, fixed, input.id()});
  check_parameter(model_.parameters_.back());
  return input;
}

std::vector<Expression> ModelBuilder::parameters(const std::string& name,
                                                 std::span<const double> values, double lower,
                                                 double upper, bool fixed) {
  const Range range{lower, upper};
  return parameters(name, values, std::span(&range, 1), fixed);
}

std::vector<Expression> ModelBuilder::parameters(const std::string& name,
                                                 std::span<const double> values,
                                                 std::span<const Range> bounds, bool fixed,
                                                 std::size_t columns) {
  declare(name, true);
  if (values.empty()) refuse(fmt::format("The parameter {} has no components.", name));
  if (columns > 0 && values.size() % columns != 0) {
    refuse(fmt::format("The {} values of the parameter {} do not fill rows of {}.", values.size(),
                       name, columns));
  }
  if (bounds.size() != 1 && bounds.size() != values.size()) {
    refuse(fmt::format("The parameter {} has {} values and {} bounds.", name, values.size(),
                       bounds.size()));
  }
  model_.parameter_families_.push_back(
      {name, model_.parameters_.size(), values.size(), true, false, {}, columns});
  const Family family = model_.parameter_families_.back();
  check_count(model_.parameters_.size() + values.size(), most_parameters, "parameters");
  std::vector<Expression> inputs;
  inputs.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string full = family.component(i);
    inputs.push_back(graph_->input(full));
    const Range& range = bounds[bounds.size() == 1 ? 0 : i];
    model_.parameters_.push_back(
        {full, values[i], range.lower, range.upper, fixed, inputs.back().id()});
    check_parameter(model_.parameters_.back());
  }
  return inputs;
}

Expression ModelBuilder::state(const std::string& name, const Range& range) {
  declare(name);
  check_range(name, range);
  check_count(model_.states_.size() + 1, most_states, "states");
  const Expression input = graph_->input(name);
  model_.state_families_.push_back({name, model_.states_.size(), 1, false, false, range});
  model_.states_.push_back({name, input.id(), range});
  return input;
}

std::vector<Expression> ModelBuilder::states(const std::string& name, std::size_t size,
                                             bool periodic, const Range& range) {
  declare(name);
  check_range(name, range);
  if (size == 0) refuse(fmt::format("The state {} has no components.", name));
  model_.state_families_.push_back({name, model_.states_.size(), size, true, periodic, range});
  check_count(model_.states_.size() + size, most_states, "states");
  std::vector<Expression> inputs;
  inputs.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    const std::string full = model_.state_families_.back().component(i);
    inputs.push_back(graph_->input(full));
    model_.states_.push_back({full, inputs.back().id(), range});
  }
  return inputs;
}

std::vector<Expression> ModelBuilder::network(Network network) {
  network.check();
  declare(network.name);
  if (!network.file.empty()) check_file_name(network.file, "the network " + network.name);
  network.first = model_.parameters_.size();
  const std::vector<double> initial = network.initial_weights();
  std::vector<Expression> weights;
  const std::array<Range, 1> everywhere{};
  std::size_t before = network.inputs();
  const auto add = [&](const std::string& name, std::size_t count, std::size_t columns) {
    const auto values = std::span(initial).subspan(weights.size(), count);
    for (const Expression& weight : parameters(name, values, everywhere, network.fixed, columns)) {
      weights.push_back(weight);
    }
  };
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const std::size_t width = network.layers[l].width;
    add(fmt::format("{}.W{}", network.name, l + 1), width * before, before);
    add(fmt::format("{}.b{}", network.name, l + 1), width, 0);
    before = width;
  }
  model_.networks_.push_back(std::move(network));
  return weights;
}

void ModelBuilder::let(const std::string& name, std::vector<Expression> values) {
  declare(name, true);
  if (values.empty()) refuse(fmt::format("The let {} has no values.", name));
  std::vector<NodeId>& nodes = model_.lets_[name];
  for (const Expression& value : values) nodes.push_back(value.id());
}

Expression ModelBuilder::input(Input input) {
  declare(input.name);
  check_count(model_.inputs_.size() + 1, most_inputs, "inputs");
  if (!input.file.empty()) check_file_name(input.file, "the input " + input.name);
  const Expression node = graph_->input(input.name);
  input.node = node.id();
  model_.inputs_.push_back(std::move(input));
  return node;
}

std::size_t ModelBuilder::index_of(Expression state) const {
  // States are made in ascending order of their nodes.
  const auto found = std::lower_bound(model_.states_.begin(), model_.states_.end(), state.id(),
                                      [](const State& s, NodeId id) { return s.node < id; });
  if (&state.graph() != graph_.get() || found == model_.states_.end() ||
      found->node != state.id()) {
    refuse(
        "An equation or initial law was given for an expression that is not a state of this "
        "model.");
  }
  return static_cast<std::size_t>(found - model_.states_.begin());
}

void ModelBuilder::drift(Expression state, Expression rate) {
  const std::size_t i = index_of(state);
  drift_.resize(model_.states_.size());
  drift_[i] = drift_[i] ? *drift_[i] + rate : rate;
}

void ModelBuilder::noise(Expression state, const std::string& brownian, Expression amplitude) {
  const std::size_t i = index_of(state);
  check_brownian_name(brownian);
  noise_.resize(model_.states_.size());
  const auto [place, is_new] = columns_.try_emplace(brownian, columns_.size());
  if (is_new) model_.noise_names_.push_back(brownian);
  check_count(columns_.size(), most_noises, "Brownian motions");
  noise_[i].emplace_back(place->second, amplitude);
}

void ModelBuilder::set_initial(Expression state, InitialLaw law) {
  const std::size_t i = index_of(state);
  initial_.resize(model_.states_.size());
  if (initial_[i]) {
    refuse(fmt::format("The initial law of {} is given twice.", model_.states_[i].name));
  }
  initial_[i] = std::move(law);
}

void ModelBuilder::initial_normal(Expression state, Expression mean,
                                  Expression standard_deviation) {
  set_initial(state, {InitialKind::normal, mean.id(), standard_deviation.id(), ""});
}
void ModelBuilder::initial_normal(Expression state, double mean, double standard_deviation) {
  initial_normal(state, graph_->constant(mean), graph_->constant(standard_deviation));
}
void ModelBuilder::initial_normal(Expression state, Expression mean, double standard_deviation) {
  initial_normal(state, mean, graph_->constant(standard_deviation));
}
void ModelBuilder::initial_normal(Expression state, double mean, Expression standard_deviation) {
  initial_normal(state, graph_->constant(mean), standard_deviation);
}
void ModelBuilder::initial_lognormal(Expression state, Expression mu,
                                     Expression standard_deviation) {
  set_initial(state, {InitialKind::lognormal, mu.id(), standard_deviation.id(), ""});
}
void ModelBuilder::initial_point(Expression state, Expression value) {
  set_initial(state, {InitialKind::point, value.id(), graph_->constant(0.0).id(), ""});
}
void ModelBuilder::initial_point(Expression state, double value) {
  initial_point(state, graph_->constant(value));
}
void ModelBuilder::initial_samples(Expression state, const std::string& file) {
  initial_samples(state, file, 0.0);
}
void ModelBuilder::initial_samples(Expression state, const std::string& file, double middle) {
  check_file_name(file, "initial samples");
  set_initial(state, {InitialKind::samples, graph_->constant(middle).id(),
                      graph_->constant(0.0).id(), file});
}

void ModelBuilder::observe(const std::string& name, Expression value) {
  declare_observation(name);
  model_.observations_.push_back({name, value.id(), graph_->constant(0.0).id(), false});
}

void ModelBuilder::observe_normal(const std::string& name, Expression mean,
                                  Expression standard_deviation) {
  declare_observation(name);
  model_.observations_.push_back({name, mean.id(), standard_deviation.id(), true});
}

void ModelBuilder::declare_observation(const std::string& name) {
  const std::string stem = name.substr(0, name.find('['));
  if (!is_component_name(name)) {
    refuse(fmt::format("An observation cannot be called {}; names are like y or y[3].",
                       in_quotes(name)));
  }
  if (is_reserved(stem)) {
    refuse(
        fmt::format("{} is a word of the model language and cannot be declared.", in_quotes(stem)));
  }
  if ((stem != name && names_.contains(stem)) || !names_.insert(name).second) {
    refuse(fmt::format("{} is declared twice.", in_quotes(name)));
  }
}

void ModelBuilder::declare_functional(const std::string& name) {
  const std::size_t open = name.find('[');
  const bool is_component = open != std::string::npos;
  const std::string stem = name.substr(0, open);
  std::vector<Family>& families = model_.functional_families_;
  const auto known = std::ranges::find(families, stem, &Family::name);
  if (known == families.end()) {
    declare(stem);
    Family& made = families.emplace_back();
    made.name = stem;
    made.first = model_.functionals_.size();
    made.size = 0;
    made.is_vector = is_component;
  } else if (!is_component || !known->is_vector || &*known != &families.back()) {
    refuse(fmt::format("{} is declared twice.", in_quotes(name)));
  }
  Family& family = families.back();
  if (is_component && name != family.component(family.size)) {
    refuse(
        fmt::format("The components of the functional {0} are given in their order: {1} was "
                    "expected, but {2} was found.",
                    stem, family.component(family.size), name));
  }
  ++family.size;
}

Expression ModelBuilder::path(const std::string& name, const PathFunctionalKind& kind,
                              Expression followed) {
  declare_functional(name);
  check_count(model_.functionals_.size() + 1, most_functionals, "functionals");
  const bool is_map = model_.dynamics_ == Dynamics::map;
  if (is_map && !kind.is_for_maps()) {
    refuse(
        fmt::format("The model {0} is a map, whose time has no inside: {1} is for SDEs. A sum over "
                    "its times is a state, s' = s + ....",
                    model_.name_, kind.usage()));
  }
  if (!is_map && kind.side() != 0) check_bridged(name, followed);
  const Expression node = graph_->input(name);
  model_.functionals_.push_back({name, &kind, followed.id(), node.id()});
  return node;
}

// Between two times what is followed is taken for a Brownian motion.
void ModelBuilder::check_bridged(const std::string& name, Expression followed) const {
  std::vector<Expression> states;
  for (const State& state : model_.states_) states.push_back(graph_->at(state.node));
  const NodeId root = followed.id();
  const std::vector<Expression> positive = positive_inputs(model_, *graph_);
  for (const Kink& kink : find_kinks(*graph_, {&root, 1}, states, positive)) {
    const bool is_edge = kink.op == Op::sqrt || kink.op == Op::pow;
    if (kink.kind == KinkKind::bend || is_edge) continue;
    refuse(
        fmt::format("The functional {} follows an expression with a {} ({}), which is not known "
                    "between the times of the grid: follow its smooth parts one by one, and put "
                    "them together in the observable, as max(high, -low) for the largest |x|.",
                    name, name_of(kink.kind), name_of(kink.op)));
  }
}

void ModelBuilder::time(double start, double step, double end, double tamed) {
  model_.time_grid_ = {start, step, end, tamed};
  model_.time_grid_.validate();
  if (model_.dynamics_ == Dynamics::map && step != 1.0) {
    refuse(fmt::format("The model {} is a map: its time step is 1, not {}.", model_.name_, step));
  }
  if (model_.dynamics_ == Dynamics::map && tamed != 0.0) {
    refuse(
        fmt::format("The model {} is a map: it has no drift that could be tamed.", model_.name_));
  }
  has_time_ = true;
}

void ModelBuilder::label(const std::string& name, Label label) {
  const auto in_line = [&](const std::string& text, const char* what, std::string_view forbidden) {
    constexpr std::size_t longest_label = 200;
    if (text.size() <= longest_label && text.find_first_of(forbidden) == std::string::npos) return;
    refuse(fmt::format("The {} of {} cannot be {}: up to {} bytes in one line, without quotes{}.",
                       what, name, in_quotes(text), longest_label,
                       forbidden.size() > 3 ? " and brackets" : ""));
  };
  in_line(label.words, "label", "\"\n\r");
  in_line(label.unit, "unit", "\"\n\r[]");
  if (label.words.empty()) refuse(fmt::format("The label of {} is empty.", name));
  model_.labels_[name] = std::move(label);
}

void ModelBuilder::printer(std::function<std::string(const Model&)> print) {
  model_.printer_ = std::move(print);
}

// Terms on one Brownian motion add up; what cancels leaves no entry. Columns are numbered in the
// order in which the equations, read from the first state to the last, mention them.
void ModelBuilder::collect_noise(Model& model) const {
  constexpr std::size_t unused = static_cast<std::size_t>(-1);
  std::vector<std::size_t> number(model.noise_names_.size(), unused);
  std::vector<std::string> names;
  for (std::size_t row = 0; row < noise_.size(); ++row) {
    std::map<std::size_t, Expression> amplitudes;
    std::vector<std::size_t> order;
    for (const auto& [column, term] : noise_[row]) {
      const auto [place, is_new] = amplitudes.try_emplace(column, term);
      if (is_new) {
        order.push_back(column);
      } else {
        place->second = place->second + term;
      }
    }
    const std::size_t begin = model.noise_.size();
    for (const std::size_t column : order) {
      if (amplitudes.at(column).is_zero()) continue;
      if (number[column] == unused) {
        number[column] = names.size();
        names.push_back(model.noise_names_[column]);
      }
      model.noise_.push_back({row, number[column], amplitudes.at(column).id()});
    }
    std::sort(model.noise_.begin() + static_cast<std::ptrdiff_t>(begin), model.noise_.end(),
              [](const NoiseEntry& a, const NoiseEntry& b) { return a.column < b.column; });
  }
  model.noise_names_ = std::move(names);
}

void ModelBuilder::check_complete() const {
  const bool map = model_.dynamics_ == Dynamics::map;
  if (model_.states_.empty()) refuse(fmt::format("The model {} has no state.", model_.name_));
  for (std::size_t i = 0; i < model_.states_.size(); ++i) {
    const std::string& name = model_.states_[i].name;
    const bool has_noise = i < noise_.size() && !noise_[i].empty();
    if ((i >= drift_.size() || !drift_[i]) && !has_noise) {
      refuse(map ? fmt::format("The state {} has no equation {}' = ...", name, name)
                 : fmt::format("The state {} has no equation d{} = ...", name, name));
    }
    if (i >= initial_.size() || !initial_[i]) {
      refuse(
          fmt::format("The state {} has no initial law; write for example: init {} ~ normal(0, "
                      "1).",
                      name, name));
    }
  }
  if (!has_time_) {
    refuse(fmt::format("The model {} has no time grid; write for example: time 0 : {} : {}.",
                       model_.name_, map ? 1.0 : 0.01, map ? 50 : 1));
  }
}

// The equation of a map says by itself where it leads, and a normal law has no end.
void ModelBuilder::check_ranges(const Model& model) const {
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    const State& state = model.states_[i];
    const Range& range = state.range;
    const InitialKind kind = model.initial_[i].kind;
    if (range.is_whole()) continue;
    if (model.dynamics_ == Dynamics::map) {
      refuse(
          fmt::format("The state {} of the map {} cannot be declared {}: that is a way to step an "
                      "SDE.",
                      state.name, model.name_, range.text()));
    }
    if (kind == InitialKind::normal && range == Range::positive()) {
      refuse(
          fmt::format("The state {0} is positive, but its initial law is normal, which is not; "
                      "write init {0} ~ lognormal(mu, sd), where mu and sd are those of log {0}.",
                      state.name));
    }
    const bool is_inside =
        kind != InitialKind::normal &&
        (kind != InitialKind::lognormal || (range.lower <= 0.0 && std::isinf(range.upper)));
    if (!is_inside) {
      refuse(fmt::format(
          "The state {0} is {1}, but its initial law is {2}, which is not; write "
          "init {0} = ..., a point, or init {0} ~ samples(\"...\").",
          state.name, range.text(), kind == InitialKind::normal ? "normal" : "lognormal"));
    }
  }
}

// A parameter that moves an exact observation would move the law of the data in a way of its own,
// which neither the paths nor any noise of the observation know of.
void ModelBuilder::check_observations(const Model& model) const {
  // For every node a free parameter that it depends on: one pass for all observations together.
  constexpr NodeId none = ~NodeId{0};
  std::vector<NodeId> parameter_of(graph_->size(), none);
  for (const Parameter& parameter : model.parameters_) {
    if (!parameter.fixed) parameter_of[parameter.node] = parameter.node;
  }
  for (NodeId id = 0; id < graph_->size(); ++id) {
    const Node& node = graph_->node(id);
    if (is_leaf(node.op)) continue;
    parameter_of[id] = parameter_of[node.a];
    if (is_binary(node.op)) parameter_of[id] = std::min(parameter_of[id], parameter_of[node.b]);
  }
  for (const Observation& observation : model.observations_) {
    const NodeId found = parameter_of[observation.value];
    if (observation.noisy || found == none) continue;
    refuse(
        fmt::format("The observation {0} has no noise, but depends on the parameter {1}; make "
                    "{1} fixed, or write {0} ~ normal(..., sd).",
                    observation.name, graph_->input_name(graph_->node(found).a)));
  }
}

Model ModelBuilder::build() {
  check_complete();
  Model model = model_;
  const Expression zero = graph_->constant(0.0);
  for (std::size_t i = 0; i < model.states_.size(); ++i) {
    model.drift_.push_back(i < drift_.size() && drift_[i] ? drift_[i]->id() : zero.id());
    model.initial_.push_back(*initial_[i]);
  }
  collect_noise(model);

  std::set<NodeId> allowed;
  for (const Parameter& parameter : model.parameters_) allowed.insert(parameter.node);
  for (std::size_t i = 0; i < model.initial_.size(); ++i) {
    if (model.initial_[i].kind == InitialKind::samples) allowed.insert(model.states_[i].node);
  }
  for (std::size_t i = 0; i < model.initial_.size(); ++i) {
    const std::array<NodeId, 2> roots{model.initial_[i].a, model.initial_[i].b};
    check_ingredients(*graph_, roots, allowed, "The initial law of " + model.states_[i].name,
                      "parameters");
  }
  for (const NodeId node : model.time_nodes()) allowed.insert(node);
  for (const State& state : model.states_) allowed.insert(state.node);
  std::vector<NodeId> roots = model.drift_;
  for (const NoiseEntry& entry : model.noise_) roots.push_back(entry.amplitude);
  for (const auto& [name, nodes] : model.lets_)
    roots.insert(roots.end(), nodes.begin(), nodes.end());
  for (const Observation& observation : model.observations_) {
    roots.insert(roots.end(), {observation.value, observation.deviation});
  }
  for (const PathFunctional& functional : model.functionals_) roots.push_back(functional.followed);
  check_ingredients(*graph_, roots, allowed, "The model " + model.name_,
                    "its states, parameters, inputs and t");

  check_no_clash(model, names_);
  check_observations(model);
  check_ranges(model);
  const NoiseStructure structure = classify_noise(model.states_.size(), model.noise_);
  model.noise_class_ = structure.noise_class;
  model.diagonal_covariance_ = structure.diagonal_covariance;
  model.noisy_ = structure.noisy;
  model.graph_ = std::make_shared<const Graph>(*graph_);
  model.singular_noise_ = singular_noise_at_start(model);
  return model;
}

}  // namespace divker
