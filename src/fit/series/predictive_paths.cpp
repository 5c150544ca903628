#include "fit/series/predictive_paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "answer/places_met.hpp"
#include "divker/error.hpp"
#include "divker/plan.hpp"
#include "divker/random.hpp"
#include "divker/step.hpp"

namespace divker::fit {
namespace {

using Eigen::Index;

constexpr const char* coarse_state = "coarse x";

// States whose roots keep them inside are stepped in these, where paths would leave.
Model as_simulated(const Model& model, const Session& session) {
  require_sde(model, "Predictions of series are of SDEs");
  return boundaries_met(model, {}, session).in_roots ? model.stepped_in_roots() : model;
}

Program step_of_states(const Model& model, const LegRules& rules) {
  Asked asked = Asked::states();
  asked.beyond_boundaries = rules.beyond_boundaries;
  return derive_noise_step(model, asked, false);
}

// The paths of some points.
class March {
 public:
  March(const Departures& departures, std::size_t paths, std::size_t lanes, std::size_t states,
        std::size_t noises, std::uint64_t seed, std::size_t first_path)
      : departures_(departures),
        paths_(paths),
        columns_(departures.size() * paths),
        states_(states),
        noises_(noises),
        first_path_(first_path),
        source_(seed),
        block_(columns_, lanes) {
    double* x = block_.array(state_array, states);
    for (std::size_t p = 0; p < block_.paths(); ++p) {
      for (std::size_t i = 0; i < states; ++i) {
        x[block_.place(p, i, states)] = departures.from(static_cast<Index>(i), point_of(p));
      }
    }
    std::copy_n(x, block_.paths() * states, block_.array(coarse_state, states));
    noise_.resize(block_.paths() * noises * steps_together);
    coarse_noise_.resize(block_.paths() * noises);
  }

  [[nodiscard]] PathBlock& block() { return block_; }

  // The clocks of a leg that begins when the legs before it end.
  void set_clocks(const PathClock& clock, const PathClock& coarse, std::size_t leg) {
    for (std::size_t p = 0; p < block_.paths(); ++p) {
      const Index point = point_of(p);
      const auto now = static_cast<Index>(leg);
      const double t = departures_.time[static_cast<std::size_t>(point)] +
                       departures_.duration.col(point).head(now).sum();
      const double dt =
          departures_.duration(now, point) / static_cast<double>(departures_.steps[leg]);
      clock.set(block_, p, t, dt);
      coarse.set(block_, p, t, 2.0 * dt);
    }
  }

  // The random numbers of the next step.
  [[nodiscard]] const double* next_noise() {
    const std::size_t within = drawn_ % steps_together;
    if (within == 0) {
      source_.fill(first_path_, drawn_, steps_together, block_.vectors(), noises_, block_.lanes(),
                   noise_.data());
    }
    ++drawn_;
    return noise_.data() + within * block_.paths() * noises_;
  }
  // The same for twice the step, from both numbers in it.
  [[nodiscard]] const double* add(const double* noise, bool is_second) {
    const double half = std::sqrt(0.5);
    double* sum = coarse_noise_.data();
    for (std::size_t i = 0; i < block_.paths() * noises_; ++i) {
      sum[i] = (is_second ? sum[i] : 0.0) + half * noise[i];
    }
    return sum;
  }

  [[nodiscard]] Eigen::MatrixXd columns_of(const std::string& name) {
    const double* array = block_.array(name, states_);
    Eigen::MatrixXd result(static_cast<Index>(states_), static_cast<Index>(columns_));
    for (std::size_t p = 0; p < columns_; ++p) {
      for (std::size_t i = 0; i < states_; ++i) {
        result(static_cast<Index>(i), static_cast<Index>(p)) = array[block_.place(p, i, states_)];
      }
    }
    return result;
  }

 private:
  static constexpr std::size_t steps_together = 16;  // whole groups of random numbers

  [[nodiscard]] Index point_of(std::size_t path) const {
    return static_cast<Index>(std::min(path / paths_, departures_.size() - 1));
  }

  const Departures& departures_;
  std::size_t paths_, columns_, states_, noises_;
  std::size_t first_path_;
  NormalSource source_;
  PathBlock block_;
  std::size_t drawn_ = 0;
  numbers::AlignedArray noise_, coarse_noise_;
};

}  // namespace

std::vector<double> sample_of_point(const Eigen::MatrixXd& states, std::size_t i, std::size_t point,
                                    std::size_t paths) {
  const Eigen::RowVectorXd x =
      states.row(static_cast<Index>(i))
          .segment(static_cast<Index>(point * paths), static_cast<Index>(paths));
  return {x.data(), x.data() + x.size()};
}

PredictivePaths::PredictivePaths(const Model& model, const Session& session)
    : model_(as_simulated(model, session)),
      rules_(model_),
      parameters_(model_.parameter_values()),
      clock_(model_),
      coarse_clock_(model_, "coarse "),
      step_(step_of_states(model_, rules_)),
      coarse_step_(step_of_states(model_, rules_),
                   {{state_array, coarse_state}, {"t", "coarse t"}, {"dt", "coarse dt"}}) {}

std::size_t PredictivePaths::steps_in(double duration) const {
  constexpr double rounded = 1e-6;
  const double pairs = std::ceil(0.5 * duration / model_.time().step - rounded);
  return 2 * static_cast<std::size_t>(std::max(1.0, pairs));
}

std::size_t PredictivePaths::together(std::size_t paths) const {
  constexpr std::size_t numbers = 32'768;  // of the states
  return std::max<std::size_t>(1, numbers / (paths * model_.dimension()));
}

std::vector<Arrivals> PredictivePaths::walk(const Departures& departures, std::size_t paths,
                                            std::uint64_t seed, std::size_t first) const {
  March march(departures, paths, step_.kernel().lanes(), model_.dimension(), model_.noise_count(),
              seed, first * paths);
  PathBlock& block = march.block();
  const PathBlock::Call step = block.prepare(step_, step_.bind(parameters_));
  const PathBlock::Call coarse_step = block.prepare(coarse_step_, coarse_step_.bind(parameters_));
  std::vector<Arrivals> arrivals;
  for (std::size_t leg = 0; leg < departures.steps.size(); ++leg) {
    march.set_clocks(clock_, coarse_clock_, leg);
    const std::size_t steps = departures.steps[leg];
    for (std::size_t n = 0; n < steps; ++n) {
      const double* noise = march.next_noise();
      block(step, noise);
      const double* both = march.add(noise, n % 2 == 1);
      if (n % 2 == 1) block(coarse_step, both);
      if (n + 1 == steps) break;
      clock_.advance(block);
      if (n % 2 == 1) coarse_clock_.advance(block);
    }
    arrivals.push_back({march.columns_of(state_array), march.columns_of(coarse_state)});
  }
  return arrivals;
}

}  // namespace divker::fit
