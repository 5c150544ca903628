// Fitting the parameters of a model to snapshots of a population, without trajectories.
//
// At the maximum of the likelihood the mean over the data of d log h / d gamma vanishes. Paths give
// it as a conditional expectation, Ihat(y) = E[I | observed = y], learned by a regressor. Solved is
//
//   psi(gamma) = mean over data of Ihat - mean over model of Ihat = 0 ,
//
// with Ihat learned from paths other than those it is averaged over (two halves, each way): at the
// true law psi has mean zero whatever the regressor smooths away. Newton's method takes the
// derivative from the same paths, H = E[(Ihat - mean)(I - mean)^T]. With V the covariance of Ihat,
// the estimate has covariance H^-1 (V_data / individuals + V_model / paths) H^-1. The page
// docs/fit.md derives this. Source of the plain estimator and the name DK-SDE: A. Ni,
// arXiv:2509.03992.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "divker/answer.hpp"
#include "divker/fit_data.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/moments.hpp"
#include "divker/tail_index.hpp"

namespace divker {

// Of the matching equations, the default first. "centred": as above. "neighbours": mean over data
// of Ihat alone, Ihat by nearest neighbours: biased by smoothing.
[[nodiscard]] std::vector<std::string> matcher_names();
// "newton"; "dual", by features of the law; "adam" and "gd" follow psi alone.
[[nodiscard]] std::vector<std::string> optimizer_names();
// Of the data from the model, the default first. "kl", whose gradient psi is, "reverse-kl",
// "jensen-shannon", "chi-square" (r - 1)^2 and "hellinger" (sqrt(r) - 1)^2, with r the density of
// the data over that of the model.
[[nodiscard]] std::vector<std::string> divergence_names();

struct FitOptions {
  Method method;
  Sampling sampling;  // paths: of the last iterations; earlier ones make do with fewer
  Session session;    // its checkpoint is not used: see saved_runs
  std::string match = matcher_names().front();
  // Empty: newton, and dual where the law is known by features.
  std::string optimizer;
  // The law is known by features, see docs/fit.md, for the optimizer dual, for another divergence
  // than kl, and for more parameters than the instruments have features and than 100.
  std::string divergence = divergence_names().front();
  std::size_t features = 300;  // of all snapshots together, about
  // "hermite": Hermite polynomials of normal scores, see docs/fit.md; else a name of
  // make_regressor(). Empty: hermite, and neighbours for the match of that name.
  std::string regressor;
  RegressorOptions regressor_options;
  std::size_t iterations = 50;  // at most
  std::size_t starts = 1;       // the model's values, and others at random: the best is taken
  double tolerance = 0.1;       // converged when |psi| is this share of its own noise, and fresh
                                // paths do not contradict; see docs/fit.md
  double rate = 0.0;            // of adam and gd; 0: 0.05 and 0.2
  TimeStep time_step = TimeStep::in_bar;  // of the estimates, measured at the end
  // Responses are accumulated over this time before a snapshot, or since the start where that is
  // less. 0: chosen by paths of a pilot; for stationary data half of the time grid.
  double window = 0.0;
  // Where the runs of an iteration are saved while they last, by their names; empty: nowhere. A
  // fit that resumes at the iteration before finds them again.
  std::function<Checkpoint(const std::string& run)> saved_runs;
};

// One step of the optimiser, or one enlargement of the sample.
struct FitIteration {
  std::size_t iteration = 0;
  std::size_t paths = 0;
  double gain = 0.0;            // in mean log-likelihood of a row of the data, since the one before
  double psi_over_noise = 0.0;  // sqrt(psi^T C^-1 psi / parameters), C the covariance of psi
  double step = 0.0;            // its length in standard deviations of the law: sqrt(step^T H step)
  std::size_t halvings = 0;     // of the step, by the line control
  std::vector<double> parameters;  // all of the model's, after it
  // Where the law is known by features: the divergence of the data that were held out, and its
  // standard error.
  std::optional<Estimate> divergence = std::nullopt;
};

// Everything that the iterations to come depend on.
struct FitState {
  std::string fingerprint;  // of the model, the data and the options
  std::vector<double> parameters;
  std::vector<std::size_t> active;    // parameters that are being fitted
  std::vector<std::string> inactive;  // that turned out to have no effect on what is observed
  std::size_t paths = 0;
  bool fine = false;                       // the instruments have all their detail
  std::vector<double> damping_parameters;  // where the damping was chosen
  std::vector<double> memory;              // of the optimiser, which alone knows its meaning
  double pace = 1.0;  // of adam and gd: what steps are multiplied by since paths failed at some
  std::vector<FitIteration> history;
  // Where the data lie far outside the law at the start, in sentences: known after iteration 0.
  std::vector<std::string> far;
  bool done = false;
  bool converged = false;
  std::string reason;  // why it ended, in words
};

// As text and back, to the bit. Throws Error(model) for a text that is none of these.
[[nodiscard]] std::string to_text(const FitState& state);
[[nodiscard]] FitState parse_fit_state(const std::string& text, const std::string& source);

// Data against model, one observed coordinate of one snapshot.
struct GoodnessOfFit {
  std::string name;
  double time = 0.0;
  std::size_t rows = 0;
  double data_mean = 0.0, model_mean = 0.0;
  double data_deviation = 0.0, model_deviation = 0.0;
  double kolmogorov_smirnov = 0.0;  // largest distance of the distribution functions
  double kolmogorov_smirnov_p = 1.0;
  double energy = 0.0;  // 2 integral (F - G)^2
  double energy_p = 1.0;
  double anderson_darling = 0.0;  // integral (F - G)^2 / (H (1 - H)) dH: it looks at the tails
  double anderson_darling_p = 1.0;
  TailExponent hill, moment;        // of the data
  std::vector<double> data, model;  // what was compared: all rows, and one number a path
};

// Data against model, all observed coordinates of one snapshot together: means and covariances of
// the normal scores. p from the chi-square law with `freedom` degrees of freedom.
struct JointGoodness {
  double time = 0.0;
  std::size_t rows = 0;
  double statistic = 0.0;
  std::size_t freedom = 0;
  double p = 1.0;
  // The energy distance of all coordinates together, each in units of its deviation over both
  // samples: it sees any difference of the laws.
  double energy = 0.0;
  double energy_p = 1.0;
};

// What one row of the data does to the estimate: H^-1 (Ihat(y) - mean) / rows, to first order what
// leaving it out would take away.
struct RowInfluence {
  std::string source;
  std::size_t row = 0;  // of the table, from 1
  double time = 0.0;
  std::string parameter;  // that it moves most
  double shift = 0.0;     // by so many of its standard errors
  // Coordinates of this row that are beyond all paths of the model, as "x = 9.1".
  std::vector<std::string> beyond;
};

// Of parameters that are undetermined, what the data determine instead: a product of powers, a sum,
// or the linear combination that it is near the estimate.
struct DeterminedCombination {
  std::string expression;               // "k*c"
  std::vector<std::string> parameters;  // that stand in it
  double value = 0.0;
  double standard_error = 0.0;
};
// "k*c = 100 +- 1".
[[nodiscard]] std::string in_words(const DeterminedCombination& combination);

// An expression of the parameters at the estimate, with the standard error that theirs give it.
struct DerivedQuantity {
  std::string name;
  std::string expression;
  double value = 0.0;
  // Not a number where it depends on a parameter that is undetermined, or there are no errors.
  double standard_error = 0.0;
};

// What a fit to time series (divker/series.hpp) tells beside the estimates, whose standard errors
// are those of the data's own scatter and hold for a wrong model too.
struct OfSeries {
  std::vector<double> model_error;  // standard errors by the model, and of the paths
  std::vector<double> step_bias;    // of dt, before extrapolation removes it, in standard errors
  std::size_t transitions = 0;
  std::size_t paths_each = 0;     // paths of a transition
  std::size_t most_substeps = 0;  // of a transition
  // Of series of which not all is seen (divker/hidden_series.hpp), whose paths are those of an
  // individual: the least share of them that counts, after weighting, at a row.
  std::optional<double> smallest_sample = std::nullopt;
};

// A parameter by which one state drives another, see divker/structure.hpp.
struct Coupling {
  std::string parameter;
  std::string from;  // "": nothing of the model
  std::string to;
  bool by_noise = false;  // in the noise of `to`, not in its drift
};

// What was set to zero because the data do not tell it from that, see divker/structure.hpp.
struct OfStructure {
  double false_discovery_rate = 0.05;
  std::vector<std::string> candidates;
  std::vector<std::string> kept;
  std::vector<std::string> zero;
  // Of `zero`: what each would be if it alone were let free, in standard errors. Not a number where
  // the data cannot tell.
  std::vector<double> score;
  // Are all that were set to zero zero together? Chi-square.
  double statistic = 0.0;
  std::size_t freedom = 0;
  double p = 1.0;
  // Intervals of what was kept that miss the truth in a share of `false_discovery_rate`, in
  // standard errors on either side (Y. Benjamini, D. Yekutieli, J. Am. Stat. Assoc. 100 (2005) 71).
  double interval = 0.0;
  std::vector<Coupling> couplings;  // by what was kept
  std::size_t rounds = 0;
  bool settled = true;  // the last round changed nothing
};

// What a fit by features of the law tells beside the estimates.
struct OfDivergence {
  std::string name;
  Estimate value;  // of the data held out; on fresh paths, in expectation a lower bound
  std::size_t features = 0;
};

struct FitResult {
  explicit FitResult(Model fitted) : model(std::move(fitted)) {}

  Model model;                     // with the estimates
  std::vector<std::string> names;  // of the parameters that were fitted
  std::vector<double> estimate;
  // Sampling of the data and of the paths; not a number for parameters that are undetermined.
  std::vector<double> standard_error;
  std::vector<double> simulation_error;  // the part of the paths alone
  // What the bias of dt adds to the standard errors, which contain it; empty where it was not
  // measured: maps, `ignored`, matching equations that are not centred. The errors of
  // combinations are without it.
  std::vector<double> time_step;
  Matrix correlation;  // not a number for parameters that are undetermined
  // The inverse of the covariance of the estimate, zero along what is undetermined, and the step
  // H^-1 psi that would come next; empty where there are no errors. See divker/structure.hpp.
  Matrix precision;
  std::vector<double> next_step;
  // Pareto k (tail_index.hpp) of the summands of the information of each parameter, the products of
  // I and its regression on what is observed: above 0.7 there is a remark, see `remarks`.
  std::vector<double> tail_index;
  std::vector<std::string> inactive;
  // Parameters without a standard error: they can change together and the data do not notice.
  std::vector<std::string> undetermined;
  std::vector<DeterminedCombination> determined;  // combinations of them that have one
  std::vector<std::string> weak;  // combinations that the data hardly determine, in words
  double condition = 0.0;         // of H, scaled to a unit diagonal
  // Of time before a snapshot, over which responses were accumulated; nothing: all of it.
  std::optional<double> window;
  // By what share it makes standard errors wrong, measured by a longer one; they contain it.
  double window_bias = 0.0;
  std::vector<GoodnessOfFit> goodness;
  std::vector<JointGoodness> joint;  // of snapshots with several coordinates
  // The rows that move an estimate most, ten at most, and before them those beyond all paths.
  std::vector<RowInfluence> influence;
  std::vector<std::string>
      rejected;  // where the law of the model is not that of the data, in words
  // Of all data, by a kernel density of the model's sample; if each block has one coordinate. Of a
  // series of which not all is seen, its own, with its standard error.
  std::optional<double> log_likelihood;
  std::optional<double> log_likelihood_error;
  // Akaike's criterion, 2 parameters - 2 log L, of a log_likelihood.
  [[nodiscard]] double aic() const {
    return 2.0 * static_cast<double>(names.size()) - 2.0 * log_likelihood.value_or(0.0);
  }
  std::size_t data_rows = 0;
  std::size_t individuals = 0;
  // On what of the data was moved or left out, on data far outside the law at the start, and on
  // error bars that mean little, in sentences.
  std::vector<std::string> remarks;
  std::optional<OfSeries> series;
  std::optional<OfDivergence> divergence;
  std::optional<OfStructure> structure;
  std::vector<DerivedQuantity> derived;
  FitState state;
  RunRecord record;  // of the last evaluation
};

// A fit, one iteration at a time, so that its state can be saved in between.
class Fit {
 public:
  // Throws Error(usage) for bad options, unknown names among them, and when there is nothing to
  // fit, Error(model) when the data have fewer rows than there are parameters.
  Fit(const Model& model, FitData data, const FitOptions& options);
  ~Fit();
  Fit(const Fit&) = delete;
  Fit& operator=(const Fit&) = delete;
  Fit(Fit&&) noexcept;
  Fit& operator=(Fit&&) noexcept;

  // Goes on from a saved state. Error(usage) if it belongs to another model, data or options,
  // Error(model) if it is not of their size.
  void resume(FitState state);
  [[nodiscard]] const FitState& state() const;
  // One iteration. False: the fit has ended, or the stop flag was set (then the
  // state is as before the iteration).
  bool advance();
  // The name of the run at the parameters where the fit stands, which the next iteration needs.
  [[nodiscard]] std::string current_run() const;
  // Where the fit stands: two passes over the paths at most, and a few paths beside.
  [[nodiscard]] FitResult result();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// All iterations and the result.
[[nodiscard]] FitResult fit_parameters(const Model& model, const FitData& data,
                                       const FitOptions& options);

// The fitted model with the standard errors and correlations of its estimates, as its errors(): of
// those that have one. Beyond 200 none are kept.
inline constexpr std::size_t most_errors = 200;
[[nodiscard]] Model with_errors_of(const FitResult& result);
// "index = 1 + 2/c^2", or the expression alone, which is then its own name. To first order in the
// errors of the estimates, the square root of g^T C g with g the gradient (delta method); where the
// estimate is no nearer than a few errors to where g changes, the error means little. Parameters
// that were not fitted have none. Error(usage) for a text that is no expression of the parameters.
[[nodiscard]] DerivedQuantity derived_quantity(const FitResult& result, const std::string& text);

// What stands for the standard error of a parameter: "+- 0.1", or of one that is undetermined
// "undetermined (only k*c = 100 +- 1 is)".
[[nodiscard]] std::string error_in_words(const FitResult& result, std::size_t parameter);

// The model with its estimates, in the language; parameters carry error_in_words() in comments.
[[nodiscard]] std::string fitted_text(const FitResult& result);

}  // namespace divker
