#include "derive/guided_step.hpp"

#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "derive/ports.hpp"
#include "divker/step.hpp"

namespace divker::derive {
namespace {

using Rows = std::vector<Vector>;

// Mean and amplitudes, M x K, of a step.
struct NormalStep {
  Vector mean;
  Rows amplitude;
};

NormalStep normal_step(const Symbols& s) {
  Graph& g = *s.graph;
  const std::size_t m = s.x.size();
  // At the middle of the step's time.
  Vector times{s.t};
  Vector middles{s.t + 0.5 * s.dt};
  for (std::size_t k = 0; k < s.input.size(); ++k) {
    times.push_back(s.input[k]);
    middles.push_back(0.5 * (s.input[k] + s.input_at_arrival[k]));
  }
  const Vector drift = substitute(g, s.drift.values, times, middles);
  NormalStep step;
  step.amplitude.assign(m, Vector(s.columns.size(), s.zero()));
  for (std::size_t k = 0; k < s.columns.size(); ++k) {
    const Vector values = substitute(g, s.columns[k].values, times, middles);
    Vector column(m, s.zero());
    for (std::size_t e = 0; e < values.size(); ++e) column[s.columns[k].rows[e]] = values[e];
    const Vector carried = directional_derivative(g, drift, s.x, column);
    for (std::size_t i = 0; i < m; ++i) {
      step.amplitude[i][k] = column[i] + 0.5 * s.dt * carried[i];
    }
  }
  Vector generated = directional_derivative(g, drift, s.x, drift);
  for (std::size_t k = 0; k < s.columns.size(); ++k) {
    const Vector values = substitute(g, s.columns[k].values, times, middles);
    Vector column(m, s.zero());
    for (std::size_t e = 0; e < values.size(); ++e) column[s.columns[k].rows[e]] = values[e];
    const Vector held = s.placeholders(m);
    const Vector once = directional_derivative(g, drift, s.x, held);
    const Vector twice = substitute(g, directional_derivative(g, once, s.x, held), held, column);
    for (std::size_t i = 0; i < m; ++i) generated[i] = generated[i] + 0.5 * twice[i];
  }
  for (std::size_t i = 0; i < m; ++i) {
    step.mean.push_back(s.x[i] + s.dt * drift[i] + 0.5 * s.dt * s.dt * generated[i]);
  }
  return step;
}

// A = L D L^T of a symmetric matrix whose lower triangle is given, L with a unit diagonal.
struct Factors {
  Rows lower;
  Vector pivots;

  Factors(const Symbols& s, const Rows& a) : lower(a.size(), Vector(a.size(), s.zero())) {
    for (std::size_t j = 0; j < a.size(); ++j) {
      Expression pivot = a[j][j];
      for (std::size_t k = 0; k < j; ++k) pivot = pivot - lower[j][k] * lower[j][k] * pivots[k];
      pivots.push_back(pivot);
      for (std::size_t i = j + 1; i < a.size(); ++i) {
        Expression entry = a[i][j];
        for (std::size_t k = 0; k < j; ++k) entry = entry - lower[i][k] * lower[j][k] * pivots[k];
        lower[i][j] = entry / pivot;
      }
    }
  }
  // L^{-1} v.
  [[nodiscard]] Vector forward(Vector v) const {
    for (std::size_t i = 0; i < v.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) v[i] = v[i] - lower[i][k] * v[k];
    }
    return v;
  }
  [[nodiscard]] Vector solve(const Vector& v) const {
    Vector y = forward(v);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = y[i] / pivots[i];
    for (std::size_t i = y.size(); i-- > 0;) {
      for (std::size_t k = i + 1; k < y.size(); ++k) y[i] = y[i] - lower[k][i] * y[k];
    }
    return y;
  }
  // N(0, A) from standard normals.
  [[nodiscard]] Vector sample(const Vector& normals) const {
    Vector scaled;
    for (std::size_t i = 0; i < normals.size(); ++i) scaled.push_back(sqrt(pivots[i]) * normals[i]);
    Vector result = scaled;
    for (std::size_t i = 0; i < result.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) result[i] = result[i] + lower[i][k] * scaled[k];
    }
    return result;
  }
  // log N(v; 0, A) without 2 pi.
  [[nodiscard]] Expression log_density(const Symbols& s, const Vector& v) const {
    const Vector y = forward(v);
    Vector terms;
    for (std::size_t i = 0; i < y.size(); ++i) {
      terms.push_back(y[i] * y[i] / pivots[i] + log(pivots[i]));
    }
    return -0.5 * sum(*s.graph, terms);
  }
};

// The formulas of one step, with the guide as inputs.
class Guided {
 public:
  Guided(const Symbols& s, const GuideShape& shape, bool with_rest)
      : s_(s), shape_(shape), with_rest_(with_rest), step_(normal_step(s)) {
    const std::size_t size = with_rest ? shape.size() : shape.rest();
    for (std::size_t k = 0; k < size; ++k) {
      guide_.push_back(k == 0 ? s.dt : s.graph->input("guide[" + std::to_string(k) + "]"));
    }
    for (std::size_t a = 0; a < shape.rows; ++a) {
      normals_.push_back(s.graph->input("e[" + std::to_string(a) + "]"));
    }
    find_covariance();
    find_rest();
    for (std::size_t a = 0; a < shape.rows; ++a) {
      residual_.push_back(guide_[shape.target() + a] - dot(*s.graph, gain(a), step_.mean));
    }
  }

  [[nodiscard]] Expression ahead() const { return Factors(s_, whole_).log_density(s_, residual_); }
  [[nodiscard]] const Rows& rest() const { return rest_; }

  // x' - m(x).
  [[nodiscard]] Vector moved() const {
    Vector noise;
    for (const Vector& row : step_.amplitude) noise.push_back(dot(*s_.graph, row, s_.db));
    const Vector errors = error_of_rest();
    Vector missing;
    for (std::size_t a = 0; a < shape_.rows; ++a) {
      missing.push_back(residual_[a] - dot(*s_.graph, gain(a), noise) - errors[a]);
    }
    const Vector pull = Factors(s_, whole_).solve(missing);
    for (std::size_t i = 0; i < shape_.states; ++i) {
      Vector terms{noise[i]};
      for (std::size_t a = 0; a < shape_.rows; ++a) terms.push_back(spread_[a][i] * pull[a]);
      noise[i] = sum(*s_.graph, terms);
    }
    return noise;
  }
  // o - H x' for x' - m(x).
  [[nodiscard]] Vector left(const Vector& moved) const {
    Vector result;
    for (std::size_t a = 0; a < shape_.rows; ++a) {
      result.push_back(residual_[a] - dot(*s_.graph, gain(a), moved));
    }
    return result;
  }

  [[nodiscard]] Program program(const Vector& moved, Expression log_weight) const {
    Program result = unfinished();
    Vector arrival;
    for (std::size_t i = 0; i < shape_.states; ++i) arrival.push_back(step_.mean[i] + moved[i]);
    result.results = {state_result(arrival),
                      {log_weight_array, {log_weight.id()}, Fate::accumulated}};
    return result;
  }
  [[nodiscard]] Program unfinished() const {
    Program result;
    Vector normals = s_.b;
    normals.insert(normals.end(), normals_.begin(), normals_.end());
    result.arguments = {state_argument(s_),
                        {"b", Role::noise, ids(normals)},
                        time_argument(s_),
                        {guide_array, Role::schedule, ids(guide_)},
                        parameters_argument(s_)};
    result.graph = s_.graph;
    return result;
  }

 private:
  [[nodiscard]] Vector gain(std::size_t a) const {
    const auto begin =
        guide_.begin() + static_cast<std::ptrdiff_t>(shape_.gain() + a * shape_.states);
    return {begin, begin + static_cast<std::ptrdiff_t>(shape_.states)};
  }

  // dt S S^T, and H times it.
  void find_covariance() {
    const std::size_t m = shape_.states;
    covariance_.assign(m, Vector(m, s_.zero()));
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        covariance_[i][j] = s_.h * dot(*s_.graph, step_.amplitude[i], step_.amplitude[j]);
        covariance_[j][i] = covariance_[i][j];
      }
    }
    for (std::size_t a = 0; a < shape_.rows; ++a) {
      Vector row;
      for (std::size_t i = 0; i < m; ++i) row.push_back(dot(*s_.graph, gain(a), covariance_[i]));
      spread_.push_back(row);
    }
  }

  // V' and V.
  void find_rest() {
    const std::size_t m = shape_.states;
    rest_.assign(shape_.rows, Vector(shape_.rows, s_.zero()));
    whole_ = rest_;
    std::size_t place = shape_.rest();
    for (std::size_t b = 0; b < shape_.rows; ++b) {
      for (std::size_t a = 0; a <= b; ++a) {
        Vector terms;
        for (std::size_t j = 0; j < m && with_rest_; ++j) {
          for (std::size_t i = 0; i <= j; ++i) terms.push_back(guide_[place++] * covariance_[i][j]);
        }
        if (a == b) terms.push_back(guide_[shape_.noise() + a]);
        rest_[b][a] = sum(*s_.graph, terms);
        whole_[b][a] = rest_[b][a] + dot(*s_.graph, spread_[b], gain(a));
      }
    }
  }

  [[nodiscard]] Vector error_of_rest() const {
    if (with_rest_) return Factors(s_, rest_).sample(normals_);
    Vector result;
    for (std::size_t a = 0; a < shape_.rows; ++a) result.push_back(sqrt(rest_[a][a]) * normals_[a]);
    return result;
  }

  const Symbols& s_;
  GuideShape shape_;
  bool with_rest_;
  NormalStep step_;
  Vector guide_, normals_, residual_;
  Rows covariance_, spread_, rest_, whole_;
};

Vector of_observations(const Symbols& s, const Model& model,
                       const std::vector<std::size_t>& observations, bool deviation) {
  Vector result;
  for (const std::size_t j : observations) {
    const Observation& one = model.observations()[j];
    result.push_back(s.graph->at(deviation ? one.deviation : one.value));
  }
  return substitute(*s.graph, result, s.states, s.states_at(s.x));
}

}  // namespace

bool has_additive_noise(const Symbols& s) {
  for (const Field& column : s.columns) {
    for (const Expression& value : column.values) {
      if (depends_on(value, s.x)) return false;
    }
  }
  return true;
}

Program guided_companion(const Symbols& s) {
  const NormalStep step = normal_step(s);
  Vector jacobian, amplitude;
  for (const Expression& moved : step.mean) {
    const Vector row = gradient(moved, s.x);
    jacobian.insert(jacobian.end(), row.begin(), row.end());
  }
  for (const Vector& row : step.amplitude) {
    for (const Expression& entry : row) amplitude.push_back(entry * sqrt(s.h));
  }
  Program program;
  program.arguments = {state_argument(s), time_argument(s), parameters_argument(s),
                       step_size_argument(s)};
  program.results = {
      state_result(step.mean), {"jacobian", ids(jacobian)}, {"amplitude", ids(amplitude)}};
  program.graph = s.graph;
  return program;
}

Program guided_step(const Symbols& s, const GuideShape& shape) {
  const Guided guided(s, shape, true);
  const Vector moved = guided.moved();
  const Expression after = Factors(s, guided.rest()).log_density(s, guided.left(moved));
  return guided.program(moved, guided.ahead() - after);
}

Program guided_arrival(const Symbols& s, const GuideShape& shape, std::size_t held) {
  const Guided guided(s, shape, false);
  const Vector moved = guided.moved();
  const Vector left = guided.left(moved);
  Vector terms;
  for (std::size_t a = held; a < shape.rows; ++a) {
    const Expression variance = guided.rest()[a][a];
    terms.push_back(left[a] * left[a] / variance + log(variance));
  }
  return guided.program(moved, guided.ahead() + 0.5 * sum(*s.graph, terms));
}

Program guided_lookahead(const Symbols& s, const GuideShape& shape) {
  const Guided guided(s, shape, true);
  Program result = guided.unfinished();
  std::erase_if(result.arguments, [](const Argument& one) { return one.role == Role::noise; });
  result.results = {{"ahead", {guided.ahead().id()}}};
  return result;
}

Program observation_slopes(const Symbols& s, const Model& model,
                           const std::vector<std::size_t>& observations) {
  const Vector values = of_observations(s, model, observations, false);
  const Vector deviations = of_observations(s, model, observations, true);
  Vector slopes, log_slopes;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const Vector row = gradient(values[k], s.x);
    slopes.insert(slopes.end(), row.begin(), row.end());
    const Vector log_row = gradient(log(deviations[k]), s.x);
    log_slopes.insert(log_slopes.end(), log_row.begin(), log_row.end());
  }
  Program program;
  program.arguments = {state_argument(s), time_argument(s), parameters_argument(s)};
  program.results = {{"value", ids(values)},
                     {"deviation", ids(deviations)},
                     {"slope", ids(slopes)},
                     {"slope of log deviation", ids(log_slopes)}};
  program.graph = s.graph;
  return program;
}

Program observation_density(const Symbols& s, const Model& model,
                            const std::vector<std::size_t>& observations) {
  const Vector values = of_observations(s, model, observations, false);
  const Vector deviations = of_observations(s, model, observations, true);
  Vector seen;
  for (std::size_t k = 0; k < 2 * values.size(); ++k) {
    seen.push_back(s.graph->input("seen[" + std::to_string(k) + "]"));
  }
  const double half_log_two_pi = 0.5 * std::log(2.0 * std::numbers::pi);
  Vector terms;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const Expression z = (seen[k] - values[k]) / deviations[k];
    terms.push_back(seen[values.size() + k] *
                    (-0.5 * z * z - log(deviations[k]) - half_log_two_pi));
  }
  Program program;
  program.arguments = {state_argument(s),
                       time_argument(s),
                       {"seen", Role::schedule, ids(seen)},
                       parameters_argument(s)};
  program.results = {{log_weight_array, {sum(*s.graph, terms).id()}, Fate::accumulated}};
  program.graph = s.graph;
  return program;
}

Program start_density(const Symbols& s, const Model& model) {
  const double half_log_two_pi = 0.5 * std::log(2.0 * std::numbers::pi);
  const Vector states = s.states_at(s.x);
  Vector densities;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const InitialLaw& law = model.initial()[i];
    if (law.kind == InitialKind::point || law.kind == InitialKind::samples) {
      densities.push_back(s.zero());
      continue;
    }
    const bool in_logarithm = law.kind == InitialKind::lognormal;
    const Expression place = in_logarithm ? log(states[i]) : states[i];
    const Expression z = (place - s.graph->at(law.a)) / s.graph->at(law.b);
    const Expression stretch = derivative(place, s.x[i]);
    densities.push_back(-0.5 * z * z - log(s.graph->at(law.b)) - half_log_two_pi +
                        log(abs(stretch)));
  }
  Program program;
  program.arguments = {state_argument(s), parameters_argument(s)};
  program.results = {{"start", ids(densities)}};
  program.graph = s.graph;
  return program;
}

Program start_moments(const Symbols& s, const Model& model) {
  Vector means, deviations;
  for (const InitialLaw& law : model.initial()) {
    const Expression a = s.graph->at(law.a);
    const Expression b = s.graph->at(law.b);
    switch (law.kind) {
      case InitialKind::normal:
        means.push_back(a);
        deviations.push_back(b);
        break;
      case InitialKind::lognormal:
        means.push_back(exp(a));
        deviations.push_back(exp(a) * b);
        break;
      default:
        means.push_back(law.kind == InitialKind::point ? a : s.zero());
        deviations.push_back(s.zero());
    }
  }
  means.insert(means.end(), deviations.begin(), deviations.end());
  Program program;
  program.arguments = {state_argument(s), parameters_argument(s)};
  program.results = {{"start", ids(means)}};
  program.graph = s.graph;
  return program;
}

}  // namespace divker::derive
