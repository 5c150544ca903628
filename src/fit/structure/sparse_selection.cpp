#include "fit/structure/sparse_selection.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace divker::fit {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Of a component's own precision: what is left of it beside the others, below which the form does
// not tell it from them.
constexpr double least_pivot = 1e-7;

// The form with some components free and the others zero, by sweeping: of a component that is not
// free the diagonal is its precision beside the free ones and the last column its slope; of a free
// one the diagonal is minus its variance, and the last column the mean. The corner falls by what
// each component explains (J. H. Goodnight, Am. Stat. 33 (1979) 149).
class Swept {
 public:
  explicit Swept(const QuadraticForm& form)
      : size_(form.centre.size()), table_(size_ + 1, size_ + 1), own_(form.precision.diagonal()) {
    const VectorXd slope = form.precision * form.centre;
    table_.topLeftCorner(size_, size_) = form.precision;
    table_.topRightCorner(size_, 1) = slope;
    table_.bottomLeftCorner(1, size_) = slope.transpose();
    table_(size_, size_) = form.centre.dot(slope);
    free_.assign(static_cast<std::size_t>(size_), false);
  }

  [[nodiscard]] bool is_free(Index k) const { return free_[static_cast<std::size_t>(k)]; }
  [[nodiscard]] double left() const { return table_(size_, size_); }
  [[nodiscard]] double mean(Index k) const { return is_free(k) ? table_(k, size_) : 0.0; }
  [[nodiscard]] bool is_told(Index k) const {
    return is_free(k) || table_(k, k) > least_pivot * own_[k];
  }
  // What the form changes by, downwards positive, where a component is set free, or upwards where a
  // free one is set to zero: the square of its distance from zero in standard errors.
  [[nodiscard]] double worth(Index k) const {
    return is_told(k) ? table_(k, size_) * table_(k, size_) / std::fabs(table_(k, k)) : 0.0;
  }
  [[nodiscard]] double score(Index k) const {
    if (!is_told(k)) return std::numeric_limits<double>::quiet_NaN();
    return table_(k, size_) / std::sqrt(std::fabs(table_(k, k)));
  }
  // Free to zero or zero to free; its own inverse.
  void sweep(Index k) {
    const double pivot = table_(k, k);
    const VectorXd column = table_.col(k);
    table_.noalias() -= column * (column.transpose() / pivot);
    const VectorXd swept = column / (is_free(k) ? -pivot : pivot);
    table_.col(k) = swept;
    table_.row(k) = swept.transpose();
    table_(k, k) = -1.0 / pivot;
    free_[static_cast<std::size_t>(k)] = !is_free(k);
  }

 private:
  Index size_;
  MatrixXd table_;
  VectorXd own_;
  std::vector<bool> free_;
};

struct Search {
  const std::vector<Index>& candidates;
  double rate;

  [[nodiscard]] std::size_t kept(const Swept& at) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(candidates, [&](Index k) { return at.is_free(k); }));
  }
  [[nodiscard]] double penalty(std::size_t count) const {
    double sum = 0.0;
    for (std::size_t i = 1; i <= count; ++i) {
      sum += discovery_threshold(i, candidates.size(), rate);
    }
    return sum;
  }
  [[nodiscard]] double value(const Swept& at) const { return at.left() + penalty(kept(at)); }

  [[nodiscard]] std::optional<Index> most_worth(const Swept& at) const {
    std::optional<Index> best;
    for (const Index k : candidates) {
      if (at.is_free(k) || !at.is_told(k)) continue;
      if (!best || at.worth(k) > at.worth(*best)) best = k;
    }
    return best;
  }
  [[nodiscard]] std::optional<Index> least_worth(const Swept& at) const {
    std::optional<Index> best;
    for (const Index k : candidates) {
      if (at.is_free(k) && (!best || at.worth(k) < at.worth(*best))) best = k;
    }
    return best;
  }

  // The smallest value along the path that always adds what is worth most.
  [[nodiscard]] Swept forward(Swept at) const {
    constexpr std::size_t patience = 10;  // steps without a new minimum
    Swept best = at;
    for (std::size_t since = 0; since < patience; ++since) {
      const auto next = most_worth(at);
      if (!next) break;
      at.sweep(*next);
      if (value(at) >= value(best)) continue;
      best = at;
      since = 0;
    }
    return best;
  }

  // One removal, addition or exchange that lowers the value most; false where none does.
  [[nodiscard]] bool improve(Swept& at) const {
    constexpr double least_gain = 1e-9;
    double lowest = value(at) - least_gain;
    std::optional<Swept> best;
    const auto consider = [&](Swept there) {
      if (value(there) >= lowest) return;
      lowest = value(there);
      best = std::move(there);
    };
    for (const auto& one : {least_worth(at), most_worth(at)}) {
      if (!one) continue;
      Swept there = at;
      there.sweep(*one);
      consider(std::move(there));
    }
    for (const Index k : candidates) {
      if (!at.is_free(k)) continue;
      Swept there = at;
      there.sweep(k);
      const auto instead = most_worth(there);
      if (!instead || *instead == k) continue;
      there.sweep(*instead);
      consider(std::move(there));
    }
    if (best) at = std::move(*best);
    return best.has_value();
  }
};

std::size_t rank_of(const MatrixXd& precision) {
  const VectorXd unit = precision.diagonal().cwiseMax(1e-300).cwiseSqrt().cwiseInverse();
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(
      unit.asDiagonal() * precision * unit.asDiagonal(), Eigen::EigenvaluesOnly);
  return static_cast<std::size_t>((solver.eigenvalues().array() > least_pivot).count());
}

// With all free that is no candidate, and told.
Swept with_others_free(const QuadraticForm& form, const std::vector<Index>& candidates) {
  Swept at(form);
  for (Index k = 0; k < form.centre.size(); ++k) {
    if (!std::ranges::binary_search(candidates, k) && at.is_told(k)) at.sweep(k);
  }
  return at;
}

SparseSelection selection_at(const Swept& at, const QuadraticForm& form,
                             const std::vector<Index>& candidates) {
  SparseSelection result;
  result.mean = VectorXd::Zero(form.centre.size());
  std::size_t free = 0;
  for (Index k = 0; k < form.centre.size(); ++k) {
    result.mean[k] = at.mean(k);
    free += at.is_free(k) ? 1 : 0;
  }
  result.score = VectorXd::Zero(static_cast<Index>(candidates.size()));
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    result.score[static_cast<Index>(i)] = at.score(candidates[i]);
    if (at.is_free(candidates[i])) result.kept.push_back(candidates[i]);
  }
  result.left = std::max(0.0, at.left());
  const std::size_t rank = rank_of(form.precision);
  result.freedom = rank > free ? rank - free : 0;
  return result;
}

}  // namespace

double normal_excess(double p) {
  double low = -40.0, high = 40.0;
  for (int halvings = 0; halvings < 60; ++halvings) {
    const double middle = 0.5 * (low + high);
    (0.5 * std::erfc(middle / std::sqrt(2.0)) > p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

double discovery_threshold(std::size_t i, std::size_t m, double rate) {
  const auto place = static_cast<double>(i);
  const double share = place / (static_cast<double>(m) + 1.0 - place * (1.0 - rate));
  return std::pow(normal_excess(0.5 * rate * share), 2);
}

SparseSelection select_sparse(const QuadraticForm& form, const std::vector<Index>& candidates,
                              double rate) {
  const Search search{candidates, rate};
  Swept at = search.forward(with_others_free(form, candidates));
  std::size_t changes = 0;
  while (changes < 4 * candidates.size() && search.improve(at)) ++changes;
  return selection_at(at, form, candidates);
}

SparseSelection restricted_to(const QuadraticForm& form, const std::vector<Index>& candidates,
                              const std::vector<Index>& kept) {
  Swept at = with_others_free(form, candidates);
  for (const Index k : kept) {
    if (at.is_told(k)) at.sweep(k);
  }
  return selection_at(at, form, candidates);
}

}  // namespace divker::fit
