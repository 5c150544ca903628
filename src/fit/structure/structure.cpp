#include "divker/structure.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"
#include "fit/goodness.hpp"
#include "fit/structure/sparse_selection.hpp"
#include "model/names.hpp"

namespace divker {
namespace fit {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// The form that a fit leaves, over all parameters of the model: those that it has no entry for are
// not told at all.
QuadraticForm form_of(const Model& model, const FitResult& fit) {
  const auto count = static_cast<Index>(model.parameters().size());
  QuadraticForm form{VectorXd::Zero(count), MatrixXd::Zero(count, count)};
  for (Index p = 0; p < count; ++p) {
    form.centre[p] = fit.model.parameters()[static_cast<std::size_t>(p)].value;
  }
  std::vector<Index> places;
  for (const std::string& name : fit.names) {
    places.push_back(static_cast<Index>(model.parameter_index(name)));
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    form.centre[places[i]] += fit.next_step[i];
    for (std::size_t j = 0; j < places.size(); ++j) {
      form.precision(places[i], places[j]) = fit.precision(i, j);
    }
  }
  return form;
}

// Where the next fit starts: the smallest form, as far as bounds allow.
Model begun_at(const Model& model, const FitResult& last, const SparseSelection& selection,
               const std::vector<std::size_t>& zero) {
  std::vector<double> values = last.model.parameter_values();
  for (std::size_t p = 0; p < values.size(); ++p) {
    const Parameter& one = model.parameters()[p];
    const double value = selection.mean[static_cast<Index>(p)];
    if (value != 0.0 && value > one.lower && value < one.upper) values[p] = value;
  }
  for (const std::size_t p : zero) values[p] = 0.0;
  return model.with_parameters(values).with_fixed(zero);
}

OfStructure told_by(const Model& model, const SparseSelection& selection,
                    const std::vector<std::size_t>& candidates, double rate) {
  OfStructure told;
  told.false_discovery_rate = rate;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::size_t p = candidates[i];
    const std::string& name = model.parameters()[p].name;
    told.candidates.push_back(name);
    if (std::ranges::binary_search(selection.kept, static_cast<Index>(p))) {
      told.kept.push_back(name);
      for (Coupling& one : couplings_through(model, p)) told.couplings.push_back(std::move(one));
    } else {
      told.zero.push_back(name);
      told.score.push_back(selection.score[static_cast<Index>(i)]);
    }
  }
  told.statistic = selection.left;
  told.freedom = selection.freedom;
  told.p =
      told.freedom == 0 ? 1.0 : chi_square_tail(told.statistic, static_cast<double>(told.freedom));
  const double share = static_cast<double>(std::max<std::size_t>(1, told.kept.size())) /
                       static_cast<double>(candidates.size());
  told.interval = normal_excess(0.5 * rate * share);
  return told;
}

std::vector<std::size_t> left_out_by(const SparseSelection& selection,
                                     const std::vector<std::size_t>& candidates) {
  std::vector<std::size_t> zero;
  for (const std::size_t p : candidates) {
    if (!std::ranges::binary_search(selection.kept, static_cast<Index>(p))) zero.push_back(p);
  }
  return zero;
}

std::vector<std::string> sentences_on(const OfStructure& told) {
  std::vector<std::string> sentences;
  constexpr double unlikely = 1e-3;
  if (!told.settled) {
    sentences.push_back(
        fmt::format("What is zero was still changing after {} fits: some of the "
                    "candidates are near the threshold.",
                    told.rounds));
  }
  if (told.p < unlikely) {
    sentences.push_back(
        fmt::format("Not all that was set to zero is zero: together it is told "
                    "from that, chi-square {:.4g} with {} degrees of freedom.",
                    told.statistic, told.freedom));
  }
  std::vector<std::string> unseen;
  for (std::size_t i = 0; i < told.zero.size(); ++i) {
    if (std::isnan(told.score[i])) unseen.push_back(told.zero[i]);
  }
  if (!unseen.empty()) {
    sentences.push_back(fmt::format("Set to zero without a test, since these data do not tell: {}.",
                                    list_of(unseen)));
  }
  return sentences;
}

}  // namespace
}  // namespace fit

void check_candidates(const Model& model, const StructureOptions& options) {
  const auto refuse = [](const std::string& sentence) { throw Error(ErrorKind::usage, sentence); };
  const double rate = options.false_discovery_rate;
  if (!(rate > 0.0 && rate < 1.0)) {
    refuse(fmt::format("The rate of false discoveries is {}; it must be between 0 and 1.", rate));
  }
  if (options.candidates.empty()) refuse("No parameter is named that may be zero.");
  for (const std::size_t p : options.candidates) {
    const Parameter& one = model.parameters().at(p);
    if (one.fixed) {
      refuse(fmt::format("The parameter {} is fixed: it cannot be set to zero.", one.name));
    }
    if (one.lower < 0.0 && one.upper > 0.0) continue;
    refuse(
        fmt::format("The parameter {} is in ({:g}, {:g}) and cannot be zero: whether it is cannot "
                    "be asked.",
                    one.name, one.lower, one.upper));
  }
}

FitResult without_zeros(const Model& model, const FitResult& full, const StructureOptions& options,
                        const Refitting& refitting) {
  check_candidates(model, options);
  if (full.precision.rows == 0) {
    throw Error(ErrorKind::usage,
                "The fit has no standard errors, by which what is zero would be told: by features "
                "of the law, or where the tests reject the law, there are none.");
  }
  std::vector<std::size_t> candidates = options.candidates;
  std::ranges::sort(candidates);
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  const std::vector<Eigen::Index> places(candidates.begin(), candidates.end());
  const double rate = options.false_discovery_rate;

  const auto select = [&](const fit::QuadraticForm& form) {
    return fit::select_sparse(form, places, rate);
  };
  FitResult result = full;
  fit::SparseSelection selection = select(fit::form_of(model, full));
  OfStructure told;
  for (std::size_t round = 1;; ++round) {
    const std::vector<std::size_t> zero = fit::left_out_by(selection, candidates);
    result = refitting.fit(fit::begun_at(model, result, selection, zero));
    const Model there = model.with_parameters(result.model.parameter_values());
    const fit::QuadraticForm form = fit::form_of(model, refitting.look(there));
    const fit::SparseSelection next = select(form);
    const bool settled = next.kept == selection.kept;
    if (settled || round == options.rounds || !result.state.converged) {
      if (!settled) selection = fit::restricted_to(form, places, selection.kept);
      told = fit::told_by(model, settled ? next : selection, candidates, rate);
      told.rounds = round;
      told.settled = settled;
      result.model = there;
      break;
    }
    selection = next;
  }
  for (std::string& sentence : fit::sentences_on(told)) {
    result.remarks.push_back(std::move(sentence));
  }
  result.structure = std::move(told);
  return result;
}

}  // namespace divker
