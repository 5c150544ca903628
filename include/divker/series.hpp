// Fitting the parameters of a model to time series: one trajectory, or a panel of many.
//
// Two consecutive measurements of one individual are a transition x -> y over an interval D. The
// score of its density is a conditional mean of what paths carry that start at the point x,
//
//   d log p(y | x)/dgamma = E[ I | x_0 = x, x_D = y ] ,
//
// learned by regression on instruments phi(x, y) and centred by paths from the same x:
//
//   u_i = beta^T ( phi(x_i, y_i) - E[phi(x_i, X_D) | x_i] ) ,   sum_i u_i = 0 .
//
// Whatever the regression misses, the equation has mean zero at the true parameters, at any
// interval D: no density of a transition is approximated. The page docs/series.md derives it.
// Kin: martingale estimating functions (B. M. Bibby, M. Sorensen, Bernoulli 1 (1995) 17), efficient
// method of moments (A. R. Gallant, G. Tauchen, Econometric Theory 12 (1996) 657).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "divker/fit.hpp"
#include "divker/fit_data.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/sampling.hpp"

namespace divker {

// Pairs of consecutive measurements, individual after individual, each in the order of time.
struct SeriesData {
  Matrix from;  // transitions x M, states in the order of declaration
  Matrix to;
  std::vector<double> time;             // of `from`, in the model's unit of time
  std::vector<double> interval;         // from `from` to `to`, above zero
  std::vector<std::size_t> individual;  // of each transition: a place in `names`
  std::vector<std::string> names;       // of individuals that have a row: the group, or the table
  Matrix last;                          // the last row of each of them, individuals x M
  std::vector<double> last_time;
  std::size_t rows = 0;              // of the tables, that have all states
  std::size_t individuals = 0;       // with at least one transition
  std::vector<std::string> ignored;  // columns that are nothing in the model
  std::vector<std::string> remarks;  // on rows that are sorted or left out, in full sentences

  [[nodiscard]] std::size_t size() const { return interval.size(); }
};

// The tables with the column of times `options.time_column` as series: without a group each table
// is one individual. Rows are sorted by time, which is remarked. A row that lacks a state is left
// out, so that a transition goes from the row before to the one after, and an individual with one
// row has none, which is remarked as well.
//
// Throws the errors of match_data() on columns and values; Error(usage) without a column of times;
// Error(model) for two rows of one individual at the same time, for an interval 1,000 times as long
// as the median where others are not, which is a change of units, for measurements that are not
// states, and for less than `fewest` transitions in all.
[[nodiscard]] SeriesData match_series(const Model& model, const std::vector<DataTable>& tables,
                                      const DataOptions& options, std::size_t fewest = 1);

// Has every time of the table one row alone, so that it is more likely a series than snapshots?
// At least `least_rows` rows are needed to say so.
[[nodiscard]] bool looks_like_series(const DataTable& table, const DataOptions& options,
                                     std::size_t least_rows = 10);

struct SeriesOptions {
  std::size_t paths = 0;     // of each transition; 0: chosen by the noise that they add
  std::size_t substeps = 0;  // of each transition; 0: chosen by the relaxation time and their bias
  std::uint64_t seed = 1;
  std::size_t iterations = 50;  // at most, of each refinement; 0: what holds at the model's values
  Session session;
};

// The standard errors are those of the data, V = sum u u^T (sandwich), and of the paths;
// FitResult::series has those of the model beside them.
//
// Error(usage) where nothing is to be fitted, and for a model that is a map, whose states do not
// all carry noise, or whose noise matrix is singular; Error(model) for fewer transitions than
// parameters; Error(numerical) where more than a fifth of the paths fail.
// Cost: an iteration makes transitions * paths * substeps steps, twice over; memory: about
// transitions * features * 5 numbers.
[[nodiscard]] FitResult fit_series(const Model& model, const SeriesData& data,
                                   const SeriesOptions& options = {});

}  // namespace divker
