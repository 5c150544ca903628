#include "fit/hidden/likelihood.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "estimate/parallel.hpp"
#include "fit/coordinates.hpp"

namespace divker::fit {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

LogDensities joined(const std::vector<VectorXd>& parts) {
  Index size = 0;
  for (const VectorXd& part : parts) size += part.size();
  LogDensities result(size);
  size = 0;
  for (const VectorXd& part : parts) {
    result.segment(size, part.size()) = part;
    size += part.size();
  }
  return result;
}

VectorXd increments(const VectorXd& up_to) {
  VectorXd result = up_to;
  result.tail(up_to.size() - 1) -= up_to.head(up_to.size() - 1);
  return result;
}

}  // namespace

LogDensities FilterLikelihood::near(const std::vector<double>& parameters) const {
  const GuidedKernels::Bound bound = kernels_.bind(parameters);
  std::vector<VectorXd> parts;
  for (const SeenRecord& record : records_) {
    parts.push_back(Guides(kernels_, record).filter(bound).log_likelihood);
  }
  return joined(parts);
}

PathLikelihood::PathLikelihood(const GuidedKernels& kernels, std::vector<SeenRecord> records,
                               std::size_t paths, std::uint64_t seed, std::size_t threads)
    : kernels_(kernels),
      records_(std::move(records)),
      paths_(paths),
      seed_(seed),
      threads_(threads),
      references_(records_.size()),
      choices_(records_.size()) {}

// Where the paths lead in the mean, found again and again from where they were before.
MatrixXd PathLikelihood::reference(const GuidedKernels::Bound& bound, std::size_t record) const {
  constexpr std::size_t most = 30;
  constexpr double same = 1e-4;
  const Guides guides(kernels_, records_[record]);
  const bool is_first = references_[record].size() == 0;
  MatrixXd begin = is_first ? guides.filter(bound).means : references_[record];
  MatrixXd found = begin;
  double before = INFINITY;
  double share = 1.0;
  for (std::size_t n = 0; n < (is_first ? most : most / 4); ++n) {
    MatrixXd next;
    (void)guides.at(bound, found, &next);
    if (!next.allFinite()) return begin;
    const double change = ((next - found).array().abs() / (1.0 + found.array().abs())).maxCoeff();
    if (change > before) share *= 0.5;
    found += share * (next - found);
    if (change < same) break;
    before = change;
  }
  return found;
}

LogDensities PathLikelihood::at(const std::vector<double>& parameters) {
  const GuidedKernels::Bound bound = kernels_.bind(parameters);
  std::vector<VectorXd> parts(records_.size());
  std::vector<double> samples(records_.size());
  for_each_block(records_.size(), 1, threads_, [&](std::size_t r, std::size_t) {
    references_[r] = reference(bound, r);
    const Guide guide = Guides(kernels_, records_[r]).at(bound, references_[r]);
    choices_[r] = {};
    const ParticleLikelihood found =
        follow_guide(kernels_, bound, records_[r], guide, {paths_, seed_, r}, choices_[r]);
    samples[r] = found.smallest_sample;
    parts[r] = increments(found.up_to);
  });
  smallest_sample_ = *std::ranges::min_element(samples);
  return joined(parts);
}

LogDensities PathLikelihood::near(const std::vector<double>& parameters) const {
  const GuidedKernels::Bound bound = kernels_.bind(parameters);
  std::vector<VectorXd> parts;
  for (std::size_t r = 0; r < records_.size(); ++r) {
    const Guide guide = Guides(kernels_, records_[r]).at(bound, references_[r]);
    Choices choices = choices_[r];
    parts.push_back(increments(
        follow_guide(kernels_, bound, records_[r], guide, {paths_, seed_, r}, choices).up_to));
  }
  return joined(parts);
}

Ascent Differences::score(const SeriesLikelihood& likelihood, const LogDensities& base,
                          const std::vector<double>& parameters, const VectorXd& steps) const {
  const std::size_t count = active_.size();
  std::vector<LogDensities> ends(2 * count);
  for_each_block(2 * count, 1, threads_, [&](std::size_t k, std::size_t) {
    VectorXd change = VectorXd::Zero(static_cast<Index>(count));
    change[static_cast<Index>(k / 2)] =
        (k % 2 == 0 ? 1.0 : -1.0) * steps[static_cast<Index>(k / 2)];
    ends[k] = likelihood.near(moved(model_, active_, parameters, change));
  });
  Ascent result;
  result.value = base.sum();
  result.terms.resize(static_cast<Index>(count), base.size());
  for (std::size_t p = 0; p < count; ++p) {
    const auto row = static_cast<Index>(p);
    result.terms.row(row) = (ends[2 * p] - ends[2 * p + 1]).transpose() / (2.0 * steps[row]);
  }
  return result;
}

MatrixXd Differences::curvature(const SeriesLikelihood& likelihood, const LogDensities& base,
                                const std::vector<double>& parameters,
                                const MatrixXd& directions) const {
  const Index count = directions.cols();
  std::vector<std::pair<Index, Index>> pairs;
  for (Index i = 0; i < count; ++i) {
    for (Index j = i; j < count; ++j) pairs.emplace_back(i, j);
  }
  std::vector<double> sums(2 * pairs.size());
  for_each_block(sums.size(), 1, threads_, [&](std::size_t k, std::size_t) {
    const auto [i, j] = pairs[k / 2];
    VectorXd change = directions.col(i);
    if (j != i) change += directions.col(j);
    if (k % 2 == 1) change = -change;
    sums[k] = likelihood.near(moved(model_, active_, parameters, change)).sum() - base.sum();
  });
  MatrixXd result(count, count);
  std::vector<double> alone(static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const auto [i, j] = pairs[k];
    if (i != j) continue;
    alone[static_cast<std::size_t>(i)] = sums[2 * k] + sums[2 * k + 1];
    result(i, i) = -alone[static_cast<std::size_t>(i)];
  }
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const auto [i, j] = pairs[k];
    if (i == j) continue;
    result(i, j) = -0.5 * (sums[2 * k] + sums[2 * k + 1] - alone[static_cast<std::size_t>(i)] -
                           alone[static_cast<std::size_t>(j)]);
    result(j, i) = result(i, j);
  }
  return result;
}

}  // namespace divker::fit
