#include "tune/covariance_regression.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "divker/state_coordinates.hpp"

namespace divker::tune {
namespace {

using Group = CovarianceGroup;

// A step of the kernel pays for every one of them.
constexpr std::size_t most_weights_per_state = 96;
// Of the mean square of a normalised product: less is not worth an operation.
constexpr double least_gain = 1e-4;
// What a feature must explain more than one of pure noise would in the mean: three standard errors.
constexpr double least_significance = 9.0;
// Sites of a vector this far apart count as independent samples.
constexpr std::size_t correlated_sites = 8;
constexpr Eigen::Index batch = 1024;

// Samples of x and nu in the coordinates of the step, standardised.
class Standardised {
 public:
  Standardised(const Model& model, const std::vector<Snapshot>& samples)
      : scale_of(state_scales(model)) {
    for (const Snapshot& snapshot : samples) {
      x.push_back(snapshot.x());
      nu.push_back(snapshot.nu());
      take_coordinates(model, x.back(), nu.back());
      rows += snapshot.x().rows;
    }
    const std::size_t scales =
        scale_of.empty() ? 0 : 1 + *std::max_element(scale_of.begin(), scale_of.end());
    measure(scales);
    for (Matrix& values : x) standardise(values);
    for (Matrix& values : nu) normalise(values);
    for (const std::size_t scale : scale_of) {
      unit.push_back(1.0 / (widths[scale] * magnitude[scale]));
    }
  }

  std::vector<std::size_t> scale_of;
  std::vector<double> centres;    // and
  std::vector<double> widths;     // of x, and
  std::vector<double> magnitude;  // root mean square of nu, of each scale
  std::vector<double> unit;       // 1/(width x magnitude), of each state
  std::vector<Matrix> x;
  std::vector<Matrix> nu;
  std::size_t rows = 0;

 private:
  // u(x), and from h_u = |g| h_x the covector nu_u = g nu_x + tau.
  static void take_coordinates(const Model& model, Matrix& x, Matrix& nu) {
    const auto all = coordinates(model);
    for (std::size_t k = 0; k < x.cols; ++k) {
      if (all[k] == nullptr) continue;
      for (std::size_t r = 0; r < x.rows; ++r) {
        nu(r, k) = all[k]->stretch(x(r, k)) * nu(r, k) + all[k]->turn(x(r, k));
        x(r, k) = all[k]->at_state(x(r, k));
      }
    }
  }

  void measure(std::size_t scales) {
    std::vector<double> count(scales, 0.0);
    std::vector<double> sums(scales, 0.0);
    std::vector<double> squares(scales, 0.0);
    std::vector<double> nu_squares(scales, 0.0);
    for (std::size_t s = 0; s < x.size(); ++s) {
      for (std::size_t r = 0; r < x[s].rows; ++r) {
        for (std::size_t k = 0; k < x[s].cols; ++k) {
          const std::size_t scale = scale_of[k];
          count[scale] += 1.0;
          sums[scale] += x[s](r, k);
          squares[scale] += x[s](r, k) * x[s](r, k);
          nu_squares[scale] += nu[s](r, k) * nu[s](r, k);
        }
      }
    }
    for (std::size_t k = 0; k < scales; ++k) {
      const double mean = sums[k] / count[k];
      const double variance = squares[k] / count[k] - mean * mean;
      centres.push_back(mean);
      widths.push_back(variance > 0.0 ? std::sqrt(variance) : 1.0);
      magnitude.push_back(std::max(std::sqrt(nu_squares[k] / count[k]), 1e-150));
    }
  }

  void standardise(Matrix& values) const {
    for (std::size_t r = 0; r < values.rows; ++r) {
      for (std::size_t k = 0; k < values.cols; ++k) {
        const double z = (values(r, k) - centres[scale_of[k]]) / widths[scale_of[k]];
        values(r, k) = std::clamp(z, -largest_standardised_state, largest_standardised_state);
      }
    }
  }

  void normalise(Matrix& values) const {
    for (std::size_t r = 0; r < values.rows; ++r) {
      for (std::size_t k = 0; k < values.cols; ++k) values(r, k) /= magnitude[scale_of[k]];
    }
  }
};

double product_of(std::span<const double> z, const std::vector<std::size_t>& factors) {
  double product = 1.0;
  for (const std::size_t k : factors) product *= z[k];
  return product;
}

// E[f f^T], E[f y] and E[y^2] over samples and sites, for each entry y = nu_i nu_j - (d_i d_j h)/h.
// The density h enters by its derivatives alone, which integration by parts moves to the features,
//   E[f (d_i d_j h)/h] = E[d_i d_j f] ,
// and is left out of E[y^2], which tells chance from certainty.
struct NormalEquations {
  Eigen::MatrixXd gram;
  Eigen::MatrixXd targets;
  Eigen::VectorXd squares;
};

// d_i d_j of one feature at one site, where the entry (i, j) is one of the group's: factor times
// the product of the states that are left, as long as z_i and z_j are not cut off. Where i = j the
// slope jumps at the cut, and E[d_i d_i f] = -E[nu_i d_i f] is taken instead, which holds across
// it.
struct SecondDerivative {
  Eigen::Index feature = 0;
  Eigen::Index entry = 0;
  CovarianceGroup::Place place;
  std::vector<std::size_t> left;
  double factor = 0.0;
};

std::vector<std::size_t> without(std::vector<std::size_t> factors, std::size_t position) {
  factors.erase(factors.begin() + static_cast<std::ptrdiff_t>(position));
  return factors;
}

// All of one site; `unit` is what a derivative by z_i counts in units of nu_i.
std::vector<SecondDerivative> second_derivatives(const Group& group, std::size_t site,
                                                 const std::vector<double>& unit) {
  std::map<std::pair<std::size_t, std::size_t>, Eigen::Index> entry_of;
  for (std::size_t e = 0; e < group.entries.size(); ++e) {
    const Group::Place place = *group.entries[e].places[site];
    entry_of[{place.row, place.column}] = static_cast<Eigen::Index>(e);
  }
  std::vector<SecondDerivative> all;
  const auto add = [&](std::size_t feature, Group::Place place, std::vector<std::size_t> left,
                       double factor) {
    const auto entry = entry_of.find({place.row, place.column});
    if (entry == entry_of.end()) return;
    all.push_back(
        {static_cast<Eigen::Index>(feature), entry->second, place, std::move(left), factor});
  };
  for (std::size_t f = 0; f < group.features.size(); ++f) {
    const std::vector<std::size_t>& factors = *group.features[f][site];  // ascending
    for (std::size_t p = 0; p < factors.size(); ++p) {
      const std::size_t i = factors[p];
      for (std::size_t q = p + 1; q < factors.size(); ++q) {
        const std::size_t j = factors[q];
        if (i != j) add(f, {i, j}, without(without(factors, q), p), unit[i] * unit[j]);
      }
      const auto power = std::count(factors.begin(), factors.end(), i);
      const bool is_first = p == 0 || factors[p - 1] != i;
      if (power > 1 && is_first) {
        add(f, {i, i}, without(factors, p), -static_cast<double>(power) * unit[i]);
      }
    }
  }
  return all;
}

class Accumulator {
 public:
  Accumulator(const Group& group, const std::vector<double>& unit)
      : group_(group),
        features_(batch, static_cast<Eigen::Index>(group.features.size())),
        products_(batch, static_cast<Eigen::Index>(group.entries.size())) {
    sums_.gram = Eigen::MatrixXd::Zero(features_.cols(), features_.cols());
    sums_.targets = Eigen::MatrixXd::Zero(features_.cols(), products_.cols());
    sums_.squares = Eigen::VectorXd::Zero(products_.cols());
    for (const std::size_t site : group.whole_sites) {
      curvature_.push_back(second_derivatives(group, site, unit));
    }
  }

  void add(std::span<const double> z, std::span<const double> nu) {
    subtract_curvature(z, nu);
    for (const std::size_t site : group_.whole_sites) {
      for (Eigen::Index f = 0; f < features_.cols(); ++f) {
        features_(filled_, f) = product_of(z, *group_.features[static_cast<std::size_t>(f)][site]);
      }
      for (Eigen::Index e = 0; e < products_.cols(); ++e) {
        const Group::Place place = *group_.entries[static_cast<std::size_t>(e)].places[site];
        products_(filled_, e) = nu[place.row] * nu[place.column];
      }
      if (++filled_ == batch) flush();
    }
  }

  [[nodiscard]] NormalEquations means() {
    flush();
    const auto count = static_cast<double>(count_);
    return {sums_.gram / count, sums_.targets / count, sums_.squares / count};
  }

 private:
  void subtract_curvature(std::span<const double> z, std::span<const double> nu) {
    const auto is_cut_off = [z](std::size_t k) {
      return std::abs(z[k]) >= largest_standardised_state;
    };
    for (const std::vector<SecondDerivative>& site : curvature_) {
      for (const SecondDerivative& each : site) {
        if (is_cut_off(each.place.row) || is_cut_off(each.place.column)) continue;
        const double slope = each.factor * product_of(z, each.left);
        const bool is_square = each.place.row == each.place.column;
        sums_.targets(each.feature, each.entry) -= is_square ? nu[each.place.row] * slope : slope;
      }
    }
  }

  void flush() {
    const auto f = features_.topRows(filled_);
    const auto y = products_.topRows(filled_);
    sums_.gram.noalias() += f.transpose() * f;
    sums_.targets.noalias() += f.transpose() * y;
    sums_.squares += y.colwise().squaredNorm().transpose();
    count_ += filled_;
    filled_ = 0;
  }

  const Group& group_;
  std::vector<std::vector<SecondDerivative>> curvature_;  // site by site
  Eigen::MatrixXd features_;
  Eigen::MatrixXd products_;
  NormalEquations sums_;
  Eigen::Index filled_ = 0;
  Eigen::Index count_ = 0;
};

// The polynomials of one group: for each entry its features and their weights.
std::vector<ForwardSelection> select(const Group& group, const NormalEquations& equations,
                                     std::size_t samples, std::size_t budget) {
  std::vector<ForwardSelection> entries;
  std::size_t chosen = 0;
  for (std::size_t e = 0; e < group.entries.size(); ++e) {
    const auto column = static_cast<Eigen::Index>(e);
    entries.emplace_back(equations.gram, equations.targets.col(column), equations.squares[column]);
    if (!group.entries[e].is_diagonal) continue;
    entries.back().add(0);
    ++chosen;
  }
  // An entry beside the diagonal stands for two.
  const auto worth = [&](std::size_t e) {
    const double gain = entries[e].gain(entries[e].best());
    const double by_chance = entries[e].left_over() / static_cast<double>(samples);
    if (gain < least_significance * by_chance) return 0.0;
    return group.entries[e].is_diagonal ? gain : 2.0 * gain;
  };
  std::vector<double> worths;
  for (std::size_t e = 0; e < entries.size(); ++e) worths.push_back(worth(e));
  for (; chosen < budget; ++chosen) {
    const auto best = std::max_element(worths.begin(), worths.end());
    if (!(*best > least_gain)) break;
    const auto e = static_cast<std::size_t>(best - worths.begin());
    entries[e].add(entries[e].best());
    *best = worth(e);
  }
  return entries;
}

// Writes what one entry became at every site where all of it is there.
void write_terms(const Group& group, const Group::Entry& entry, const ForwardSelection& selection,
                 std::size_t first_weight, std::vector<CovectorCovariance::Term>& terms) {
  const std::vector<Eigen::Index>& chosen = selection.chosen();
  for (std::size_t c = 0; c < chosen.size(); ++c) {
    const Group::Feature& feature = group.features[static_cast<std::size_t>(chosen[c])];
    for (std::size_t site = 0; site < entry.places.size(); ++site) {
      if (!entry.places[site] || !feature[site]) continue;
      const Group::Place place = *entry.places[site];
      terms.push_back({place.row, place.column, *feature[site], first_weight + c});
    }
  }
}

}  // namespace

ForwardSelection::ForwardSelection(const Eigen::MatrixXd& gram, Eigen::VectorXd target,
                                   double mean_square)
    : gram_(gram),
      target_(std::move(target)),
      mean_square_(mean_square),
      left_over_(mean_square),
      residual_(target_),
      own_(gram.diagonal()) {}

double ForwardSelection::gain(Eigen::Index feature) const {
  constexpr double determined = 1e-6;
  const double own = own_[feature];
  return own > determined * gram_(feature, feature) ? residual_[feature] * residual_[feature] / own
                                                    : 0.0;
}

Eigen::Index ForwardSelection::best() const {
  Eigen::Index best = 0;
  for (Eigen::Index f = 1; f < gram_.rows(); ++f) {
    if (gain(f) > gain(best)) best = f;
  }
  return best;
}

void ForwardSelection::add(Eigen::Index feature) {
  chosen_.push_back(feature);
  solve();
}

void ForwardSelection::solve() {
  const Eigen::MatrixXd inner = gram_(chosen_, chosen_);
  const Eigen::MatrixXd cross = gram_(chosen_, Eigen::all);
  const Eigen::LDLT<Eigen::MatrixXd> factors(inner);
  weights_ = factors.solve(target_(chosen_));
  residual_ = target_ - cross.transpose() * weights_;
  own_ = gram_.diagonal() - cross.cwiseProduct(factors.solve(cross)).colwise().sum().transpose();
  left_over_ = mean_square_ - target_(chosen_).dot(weights_);
}

Damping regress_covariance(const Model& model, const std::vector<Snapshot>& samples) {
  const Standardised standardised(model, samples);
  auto covariance = std::make_shared<CovectorCovariance>();
  covariance->scale_of = standardised.scale_of;
  covariance->scales = standardised.centres.size();
  auto learned = std::make_shared<LearnedCovariance>();
  learned->centres = standardised.centres;
  learned->widths = standardised.widths;
  for (const Group& group : covariance_groups(model)) {
    Accumulator sums(group, standardised.unit);
    for (std::size_t s = 0; s < standardised.x.size(); ++s) {
      for (std::size_t r = 0; r < standardised.x[s].rows; ++r) {
        sums.add(standardised.x[s].row(r), standardised.nu[s].row(r));
      }
    }
    const NormalEquations equations = sums.means();
    const auto states = static_cast<std::size_t>(
        std::count_if(group.entries.begin(), group.entries.end(),
                      [](const Group::Entry& entry) { return entry.is_diagonal; }));
    const std::size_t independent =
        std::max<std::size_t>(1, group.whole_sites.size() / correlated_sites);
    const auto entries =
        select(group, equations, standardised.rows * independent, most_weights_per_state * states);
    for (std::size_t e = 0; e < entries.size(); ++e) {
      const Group::Place place = *group.entries[e].places[group.whole_sites.front()];
      const double magnitude = standardised.magnitude[covariance->scale_of[place.row]] *
                               standardised.magnitude[covariance->scale_of[place.column]];
      write_terms(group, group.entries[e], entries[e], learned->weights.size(), covariance->terms);
      for (const double weight : entries[e].weights())
        learned->weights.push_back(magnitude * weight);
    }
  }
  covariance->weights = learned->weights.size();
  learned->shape = std::move(covariance);
  return learned_damping(std::move(learned));
}

}  // namespace divker::tune
