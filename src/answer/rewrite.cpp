#include "answer/rewrite.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace divker {
namespace {

// Copies a model into a builder, part by part. What stands for its parameters is up to the caller.
class Copy {
 public:
  explicit Copy(const Model& source)
      : source_(source),
        builder_(source.name(), source.dynamics()),
        inputs_(source.graph()->input_count(), builder_.graph().constant(0.0)) {
    for (const Family& family : source.state_families()) {
      const std::vector<Expression> states =
          family.is_vector
              ? builder_.states(family.name, family.size, family.periodic, family.range)
              : std::vector<Expression>{builder_.state(family.name, family.range)};
      for (std::size_t i = 0; i < family.size; ++i) {
        states_.push_back(states[i]);
        set_input(source.states()[family.first + i].node, states[i]);
      }
    }
    set_input(source.time_input(), builder_.time());
    for (const Input& input : source.inputs()) set_input(input.node, builder_.input(input));
  }

  [[nodiscard]] ModelBuilder& builder() { return builder_; }
  [[nodiscard]] const std::vector<Expression>& states() const { return states_; }
  void set_input(NodeId node, Expression value) { inputs_[source_.graph()->node(node).a] = value; }

  [[nodiscard]] std::vector<Expression> copy(std::span<const NodeId> nodes) {
    return import_into(builder_.graph(), *source_.graph(), nodes, inputs_);
  }
  [[nodiscard]] Expression copy(NodeId node) { return copy(std::span(&node, 1)).front(); }

  // What stands for each component of a family of parameters, which lives on as a `let`.
  void replace(const Family& family, std::vector<Expression> values) {
    for (std::size_t i = 0; i < family.size; ++i) {
      set_input(source_.parameters()[family.first + i].node, values[i]);
    }
    builder_.let(family.name, std::move(values));
  }
  void add_lets() {
    for (const auto& [name, nodes] : source_.lets()) builder_.let(name, copy(nodes));
  }
  void add_equations() {
    for (std::size_t i = 0; i < states_.size(); ++i) {
      builder_.drift(states_[i], copy(source_.drift()[i]));
    }
    for (const NoiseEntry& entry : source_.noise()) {
      builder_.noise(states_[entry.row], source_.noise_names()[entry.column],
                     copy(entry.amplitude));
    }
  }
  void add_observations() {
    for (const Observation& one : source_.observations()) {
      if (one.noisy) {
        builder_.observe_normal(one.name, copy(one.value), copy(one.deviation));
      } else {
        builder_.observe(one.name, copy(one.value));
      }
    }
  }
  void add_functionals() {
    for (const PathFunctional& one : source_.functionals()) {
      builder_.path(one.name, *one.kind, copy(one.followed));
    }
  }
  void add_initial_law() {
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const InitialLaw& law = source_.initial()[i];
      const Expression a = copy(law.a);
      const Expression b = copy(law.b);
      switch (law.kind) {
        case InitialKind::normal:
          builder_.initial_normal(states_[i], a, b);
          break;
        case InitialKind::lognormal:
          builder_.initial_lognormal(states_[i], a, b);
          break;
        case InitialKind::point:
          builder_.initial_point(states_[i], a);
          break;
        case InitialKind::samples:
          builder_.initial_samples(states_[i], law.file);
          break;
      }
    }
  }
  // On the same time grid, from the same samples.
  [[nodiscard]] Model build() {
    const TimeGrid& grid = source_.time();
    builder_.time(grid.start, grid.step, grid.end, grid.tamed);
    const Model model = builder_.build();
    return source_.samples() ? model.with_samples(source_.samples()) : model;
  }

 private:
  const Model& source_;
  ModelBuilder builder_;
  std::vector<Expression> inputs_;  // what stands for each input of the source
  std::vector<Expression> states_;
};

// A name that the model does not use.
std::string free_name(const Model& model, std::string name) {
  const auto is_taken = [&] {
    const auto named = [&](const auto& ones) {
      return std::ranges::any_of(ones, [&](const auto& one) { return one.name == name; });
    };
    bool taken = named(model.state_families()) || named(model.parameter_families()) ||
                 named(model.inputs()) || named(model.networks()) ||
                 named(model.functional_families()) || model.lets().contains(name);
    for (const std::string& noise : model.noise_names()) {
      const std::string stem = noise.substr(0, noise.find('['));
      taken = taken || stem == name || "d" + stem == name;
    }
    return taken;
  };
  while (is_taken()) name += "_";
  return name;
}

}  // namespace

Model line_between(const Model& model, std::span<const double> from, std::span<const double> to,
                   double u) {
  Copy copy(model);
  ModelBuilder& builder = copy.builder();
  const Expression place = builder.parameter(free_name(model, "u"), u, -0.01, 1.01);
  for (const Family& family : model.parameter_families()) {
    std::vector<Expression> values;
    for (std::size_t p = family.first; p < family.first + family.size; ++p) {
      values.push_back(from[p] + (to[p] - from[p]) * place);
    }
    copy.replace(family, std::move(values));
  }
  copy.add_lets();
  copy.add_equations();
  copy.add_initial_law();
  copy.add_functionals();
  return copy.build();
}

KickedModel::KickedModel(const Model& model, std::size_t parameter) : model_(model) {
  Copy copy(model);
  ModelBuilder& builder = copy.builder();
  const Expression kick = builder.parameter(free_name(model, "kick"), 0.0);
  const Expression lasting = builder.parameter(free_name(model, "lasting"), 0.0);
  const TimeGrid& grid = model.time();
  const Expression rate =
      builder.parameter(free_name(model, "rate"), 1.0 / grid.step, 0.0,
                        std::numeric_limits<double>::infinity(), /*fixed=*/true);
  for (const Family& family : model.parameter_families()) {
    std::vector<Expression> values;
    for (std::size_t p = family.first; p < family.first + family.size; ++p) {
      values.push_back(builder.graph().constant(model.parameters()[p].value));
    }
    copy.replace(family, std::move(values));
  }
  copy.add_lets();
  copy.add_observations();
  copy.add_initial_law();
  copy.add_functionals();
  const Expression value = builder.graph().constant(model.parameters()[parameter].value);
  const Expression passed = (builder.time() - grid.start) * rate;
  const Expression impulse = where(exceeds(builder.graph().constant(0.25), passed), rate);
  copy.set_input(model.parameters()[parameter].node, value + lasting + kick * impulse);
  copy.add_equations();
  model_ = copy.build();
}

Model KickedModel::at_half_the_step() const {
  TimeGrid grid = model_.time();
  grid.step /= 2.0;
  std::vector<double> values = model_.parameter_values();
  values[rate_] = 1.0 / grid.step;
  return model_.with_time(grid).with_parameters(values);
}

Model parameters_as_states(const Model& model, const std::vector<std::size_t>& parameters) {
  Copy copy(model);
  ModelBuilder& builder = copy.builder();
  const std::string drawn = free_name(model, "drawn");
  const std::vector<Expression> states = builder.states(drawn, parameters.size());
  for (const Family& family : model.parameter_families()) {
    std::vector<Expression> values;
    for (std::size_t p = family.first; p < family.first + family.size; ++p) {
      const auto found = std::ranges::find(parameters, p);
      if (found != parameters.end()) {
        values.push_back(states[static_cast<std::size_t>(found - parameters.begin())]);
      } else {
        values.push_back(builder.graph().constant(model.parameters()[p].value));
      }
      copy.set_input(model.parameters()[p].node, values.back());
    }
    builder.let(family.name, values);
  }
  copy.add_lets();
  copy.add_equations();
  copy.add_initial_law();
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    builder.drift(states[k], builder.graph().constant(0.0));
    builder.initial_samples(states[k], "drawn.npy", model.parameters()[parameters[k]].value);
  }
  copy.add_observations();
  copy.add_functionals();
  const TimeGrid& grid = model.time();
  builder.time(grid.start, grid.step, grid.end, grid.tamed);
  return builder.build();
}

}  // namespace divker
