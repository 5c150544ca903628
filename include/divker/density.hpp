// The density of a law itself, without a bandwidth; its distribution function and its quantiles,
// and how these two respond to parameters.
//
// For a field g whose divergence is a point mass at y, E[nu . g + div g] = 0 tells h(y) from paths
// and their covectors. In one dimension, u = (x - y)/w, phi(u) = exp(-u^2/2):
//
//   h(y) = E[ (c + sign(y - x)/2) (phi(u) nu + phi'(u)/w) ]     for every w and c: without bias
//
// w and c trade variance only; they are chosen for each point by one half of the paths and used on
// the other. In two dimensions the field is cut off at a small radius, whose bias, of fourth order
// in it, is measured and part of the bar. E[nu_i | x_i] is the score of the marginal of state i, so
// that nu_i alone tells the density of x_i in a model of any dimension, and a pair of components
// that of a pair. The distribution function and its response are
//
//   F(y) = E[1{x <= y}] ,   dF(y)/dgamma = E[ (1{x <= y} - F) I ] ,   dq/dgamma = -(dF/dgamma)/h(q)
//
// for the quantile q of the level F. Errors fall like 1/sqrt(paths) for all of them.
// Source: docs/density.md, with the measured coverage of the bars; the identity is that of A. Ni,
// arXiv:2507.04035 (see docs/theory.md, section 6).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/stationary.hpp"

namespace divker {

struct DensityOptions {
  AnswerOptions answer;               // at the snapshot times of its sampling; no regressor
  std::vector<std::size_t> marginal;  // one or two states; empty: all of a model of so few
  std::size_t grid = 0;               // points where none are given, along each state; 0: chosen
  bool distribution = false;          // at the points too: of one state
  std::vector<double> levels;         // of quantiles: of one state
  std::vector<std::size_t> wrt;  // parameters that distribution function and quantiles respond to
  bool stationary = false;       // of the stationary law, from long paths
  std::optional<double> spinup;  // as in StationaryOptions
  std::optional<double> length;
};

// At one time. Distances are the model's, densities per unit of its states.
struct LawAtTime {
  double time = 0.0;
  // h(y). A negative value is noise about zero: h is not above its bar. `outside`: fewer than ten
  // paths make the value, and the bar is what one and a half paths more would add.
  PointValues density;
  // log h(y) and its standard error; NaN where h is not above two bars.
  Matrix log_density;
  std::optional<PointValues> distribution;  // F(y), then its responses
  std::optional<PointValues> quantiles;     // points are the levels; q, then its responses
};

struct DensityAnswer {
  std::vector<std::string> states;      // of the marginal
  std::vector<std::string> parameters;  // that were asked for
  std::vector<LawAtTime> laws;          // one for each snapshot time, or the stationary one
  std::optional<Stationary> stationary;
  RunRecord record;
};

// At the points (m x 1 or m x 2), or on a grid of its own between the quantiles 0.5% and 99.5% of
// each state at each time where there are none. A positive state is treated in its logarithm.
// Cost: that of a score, and points * paths. Memory: paths * times * (2 states of the marginal +
// parameters) doubles.
// Error(usage) for three states or more without a marginal, more than two of it, points of another
// width, levels outside (0, 1) or beyond what ten paths tell, a distribution function of two
// states, responses of a stationary law; Error(numerical) for a state that does not vary; and what
// score_at() refuses.
[[nodiscard]] DensityAnswer density_at(const Model& model, const Matrix& points,
                                       const DensityOptions& options);

}  // namespace divker
