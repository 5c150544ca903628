// Fits to time series of which not all is seen: hidden states, and measurements with noise.
//
// The likelihood of the rows y_1, y_2, ... of an individual is the mean of the weights of guided
// paths, which know the rows ahead of them along a linearised companion, so that for a linear model
// every path has the same weight, which is the likelihood itself:
//
//   L(gamma) = E[ prod_n p_gamma(path, y_n) / q_gamma(path) ] .
//
// Random numbers stay the same, and q moves with gamma, so that the estimate of L is a smooth
// function of gamma: its differences are the score and the information. The page docs/series.md
// derives it. Kin: J. Durbin, S. J. Koopman, Biometrika 84 (1997) 669; P. Guarniero,
// A. M. Johansen, A. Lee, J. Am. Stat. Assoc. 112 (2017) 1636.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "divker/fit.hpp"
#include "divker/fit_data.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/series.hpp"

namespace divker {

// Rows of individuals, each in the order of time, with what was seen; NaN is what was not.
struct HiddenSeries {
  struct Individual {
    std::string name;  // the group, or the table
    std::vector<double> time;
    Matrix states;        // rows x M: states that are seen as they are
    Matrix observations;  // rows x observations below
  };
  std::vector<Individual> individuals;    // with at least two rows
  std::vector<std::size_t> observations;  // of the model, with noise, that the tables hold
  std::vector<std::size_t> unseen;        // states that no row has
  std::size_t whole_rows = 0;             // that have all states
  std::size_t rows = 0;                   // of all individuals
  std::size_t values = 0;                 // in the rows after the first of each
  std::vector<std::string> ignored;
  std::vector<std::string> remarks;

  // Is there more than match_series() could take: a hidden state, or noise of measurement?
  [[nodiscard]] bool needs_likelihood() const { return whole_rows == 0 || !observations.empty(); }
};

// The tables as match_series() takes them, but of rows and columns all that there is. An
// observation without noise is a state, or is refused. Errors as there.
[[nodiscard]] HiddenSeries match_hidden_series(const Model& model,
                                               const std::vector<DataTable>& tables,
                                               const DataOptions& options);

// At the first row of each individual the states that are seen there are given, and the others
// follow the initial law of the model, whatever the time. The standard errors are by the observed
// information H; of 30 individuals and more by their scatter, H^{-1} (sum u u^T) H^{-T} with u
// their scores, and FitResult::series has H^{-1} beside them. FitResult::log_likelihood is log
// p(rows after the first | seen in the first), with what is measured with noise in the first row.
//
// SeriesOptions::paths: of each individual.
// Error(usage) where nothing is to be fitted, for maps, and for initial laws by samples;
// Error(usage) for more than most_guided_states states; Error(model) for fewer values than
// parameters, and where the likelihood depends on no parameter; Error(numerical) where all paths
// lose their weight, as where several states are seen exactly that share the noise of one.
// Cost: an evaluation makes rows * paths * substeps steps for each of two values of each parameter.
inline constexpr std::size_t most_guided_states = 12;
[[nodiscard]] FitResult fit_hidden_series(const Model& model, const HiddenSeries& data,
                                          const SeriesOptions& options = {});

}  // namespace divker
