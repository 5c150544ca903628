// The two identities that hold for every model, with a closed form or not (docs/theory.md):
//   E[nu_i phi(x_T) + d_i phi(x_T)] = 0      for every smooth bounded phi,
//   E[I_p phi(x_T)] - d E[phi(x_T)] / d gamma_p = 0,
// measured in standard errors. The test functions are 1, and sin u, cos u, tanh u of a state in
// standard units, u = (x_j - mean_j) / deviation_j. The derivative of the mean is a central finite
// difference with common random numbers, at h and h/2 and extrapolated: its error is O(h^4). It
// runs on seeds of its own, so that the two sides are independent.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "divker/ensemble.hpp"
#include "divker/moments.hpp"
#include "divker/pilot.hpp"

namespace divker::test {

struct IdentityOptions {
  std::size_t paths = 1'000'000;
  std::size_t paths_at_a_time = 50'000;
  InverseOrder order = InverseOrder::first;
  Scheme scheme = Scheme::euler;  // a map's is its own
  std::uint64_t seed = 1;
  Damping damping = Damping::automatic();
};

// One comparison: what should be zero, and the size of the terms that should cancel.
struct IdentityCheck {
  std::string what;  // "E[nu_x phi + d phi], phi = sin x"
  Estimate difference;
  double scale = 0.0;
  [[nodiscard]] double z() const {
    return difference.standard_error > 0.0 ? std::fabs(difference.value) / difference.standard_error
                                           : (difference.value == 0.0 ? 0.0 : INFINITY);
  }
};

struct IdentityReport {
  std::string damping;
  std::size_t failed = 0;  // paths
  std::vector<IdentityCheck> checks;
  [[nodiscard]] const IdentityCheck& worst() const {
    return *std::ranges::max_element(checks, {}, &IdentityCheck::z);
  }
};

namespace identities {

// At most `most` of 0 ... count - 1, the first and the last among them.
inline std::vector<std::size_t> spread(std::size_t count, std::size_t most) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < std::min(count, most); ++i) {
    chosen.push_back(count <= most ? i : i * (count - 1) / (most - 1));
  }
  return chosen;
}

struct TestFunction {
  std::string name;
  std::size_t state = 0;
  int kind = 0;  // 0: 1, then sin, cos, tanh
  double mean = 0.0;
  double deviation = 1.0;

  // phi and d phi / d x_state.
  [[nodiscard]] std::pair<double, double> operator()(const Matrix& x, std::size_t row) const {
    if (kind == 0) return {1.0, 0.0};
    const double u = (x(row, state) - mean) / deviation;
    if (kind == 1) return {std::sin(u), std::cos(u) / deviation};
    if (kind == 2) return {std::cos(u), -std::sin(u) / deviation};
    const double t = std::tanh(u);
    return {t, (1.0 - t * t) / deviation};
  }
};

inline std::vector<TestFunction> functions_of(const Model& model, const Matrix& x,
                                              const std::vector<std::size_t>& states) {
  std::vector<TestFunction> functions{{"1", 0, 0}};
  for (const std::size_t j : states) {
    Moments moments(1);
    for (std::size_t r = 0; r < x.rows; ++r) moments.add(std::array{x(r, j)});
    for (int kind = 1; kind <= 3; ++kind) {
      static constexpr std::array names{"", "sin ", "cos ", "tanh "};
      functions.push_back({names[static_cast<std::size_t>(kind)] + model.states()[j].name, j, kind,
                           moments.mean()[0], std::sqrt(moments.variance(0))});
    }
  }
  return functions;
}

// Half of the width of the finite difference: a fiftieth of the parameter (at least of 0.2),
// inside its bounds.
inline double half_width(const Parameter& p) {
  const double h = 0.02 * std::max(std::fabs(p.value), 0.2);
  return std::min({h, 0.1 * (p.upper - p.value), 0.1 * (p.value - p.lower)});
}

// A plain run, for which every path has to end: rows of different runs belong together.
inline Matrix states_of(const Ensemble& ensemble, const Sampling& sampling) {
  const Paths paths = ensemble.run(sampling);
  if (paths.summary.failed != 0) throw std::runtime_error("a path of a plain run has failed");
  return paths.snapshots.back().x();
}

// Adds the finite difference of every function to the moments of parameter p.
inline void add_differences(Ensemble& plain, const Model& model, std::size_t p,
                            const std::vector<TestFunction>& functions, const Sampling& run,
                            Moments& moments) {
  const double h = half_width(model.parameters()[p]);
  std::vector<Matrix> ends;
  for (const double shift : {h, -h, 0.5 * h, -0.5 * h}) {
    std::vector<double> values = model.parameter_values();
    values[p] += shift;
    plain.set_model(model.with_parameters(values));
    ends.push_back(states_of(plain, run));
  }
  std::vector<double> sample(functions.size());
  for (std::size_t r = 0; r < ends[0].rows; ++r) {
    for (std::size_t f = 0; f < functions.size(); ++f) {
      std::array<double, 4> phi{};
      for (std::size_t k = 0; k < 4; ++k) phi[k] = functions[f](ends[k], r).first;
      const double wide = (phi[0] - phi[1]) / (2.0 * h);
      const double narrow = (phi[2] - phi[3]) / h;
      sample[f] = (4.0 * narrow - wide) / 3.0;
    }
    moments.add(sample);
  }
}

}  // namespace identities

// All comparisons for one model, at most six states and six free parameters of it. Cost:
// paths (1 + 4 parameters) runs, in arrays of `paths_at_a_time`.
[[nodiscard]] inline IdentityReport check_identities(const Model& model,
                                                     const IdentityOptions& options) {
  using namespace identities;
  const auto states = spread(model.dimension(), 6);
  const std::vector<std::size_t> free = model.free_parameters();
  std::vector<std::size_t> parameters;
  for (const std::size_t i : spread(free.size(), 6)) parameters.push_back(free[i]);

  const Asked asked = Asked::responses_to(parameters);
  Method method;
  method.damping = options.damping;
  if (model.dynamics() == Dynamics::sde) {
    method.order = options.order;
    method.scheme = options.scheme;
  }
  Sampling run;
  run.paths = std::min(options.paths, options.paths_at_a_time);
  run.seed = options.seed;
  method.damping = choose_damping(model, method, asked, run).damping;
  const Ensemble carried(model, method, asked);
  Ensemble plain(model, {}, Asked::states());
  Sampling plain_run;
  plain_run.paths = run.paths;

  plain_run.seed = options.seed + 1'000'000;
  const auto functions = functions_of(model, states_of(plain, plain_run), states);
  const std::size_t count = functions.size();
  Moments of_score(states.size() * count);
  Moments of_response(parameters.size() * count);
  std::vector<Moments> differences(parameters.size(), Moments(count));
  IdentityReport report;
  report.damping = method.damping.text();
  for (std::size_t done = 0; done < options.paths; done += run.paths) {
    run.seed = ++plain_run.seed + 1'000'000;
    const Paths paths = carried.run(run);
    report.failed += paths.summary.failed;
    const Snapshot& end = paths.snapshots.back();
    std::vector<double> score_sample(of_score.size());
    std::vector<double> response_sample(of_response.size());
    for (std::size_t r = 0; r < end.x().rows; ++r) {
      for (std::size_t f = 0; f < count; ++f) {
        const auto [phi, slope] = functions[f](end.x(), r);
        for (std::size_t i = 0; i < states.size(); ++i) {
          score_sample[i * count + f] =
              end.nu()(r, states[i]) * phi + (functions[f].state == states[i] ? slope : 0.0);
        }
        for (std::size_t p = 0; p < parameters.size(); ++p) {
          response_sample[p * count + f] = end.responses()(r, p) * phi;
        }
      }
      of_score.add(score_sample);
      of_response.add(response_sample);
    }
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      add_differences(plain, model, parameters[p], functions, plain_run, differences[p]);
    }
  }

  for (std::size_t i = 0; i < states.size(); ++i) {
    for (std::size_t f = 0; f < count; ++f) {
      report.checks.push_back(
          {"score of " + model.states()[states[i]].name + ", phi = " + functions[f].name,
           of_score.estimate(i * count + f)});
    }
  }
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    for (std::size_t f = 0; f < count; ++f) {
      const Estimate kernel = of_response.estimate(p * count + f);
      const Estimate difference = differences[p].estimate(f);
      report.checks.push_back(
          {"response to " + model.parameters()[parameters[p]].name + ", phi = " + functions[f].name,
           {kernel.value - difference.value,
            std::hypot(kernel.standard_error, difference.standard_error)},
           difference.value});
    }
  }
  return report;
}

}  // namespace divker::test
