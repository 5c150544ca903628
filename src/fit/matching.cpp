#include "fit/matching.hpp"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <set>

#include "divker/error.hpp"
#include "divker/fit.hpp"
#include "divker/tail_index.hpp"
#include "estimate/products.hpp"
#include "fit/quasi_score.hpp"

namespace divker {
namespace fit {
namespace {

using Eigen::Index;

Eigen::Map<const RowMajor> view(const Matrix& m) {
  return {m.data.data(), static_cast<Index>(m.rows), static_cast<Index>(m.cols)};
}

// The mean of a block of the data stands for that of the law only where this many have their part
// in it: it takes away the share 1 / n of their spread, all of it where there is one.
constexpr std::size_t many_individuals = 30;

// Shares of the paths of one half, for what chance does to the information.
constexpr std::size_t parts_of_half = 16;

bool has_many(const DataBlock& block) {
  const std::set<std::size_t> distinct(block.individuals.begin(), block.individuals.end());
  return distinct.size() >= many_individuals;
}

// The directions in which a covariance is zero but for rounding; variables without variance are not
// among them. Rounding leaves 1e-16 of a unit diagonal.
Eigen::MatrixXd null_space(const Eigen::MatrixXd& covariance) {
  constexpr double rounding = 1e-12;
  const Eigen::ArrayXd diagonal = covariance.diagonal();
  const Eigen::VectorXd scale = (diagonal > 0.0).select(diagonal.rsqrt(), 1.0);
  Eigen::MatrixXd scaled = scale.asDiagonal() * covariance * scale.asDiagonal();
  scaled.diagonal().setOnes();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scaled);
  const Index count = (solver.eigenvalues().array() < rounding).count();
  return scale.asDiagonal() * solver.eigenvectors().leftCols(count);
}

RowMajor centred(const Matrix& m) {
  const auto values = view(m);
  return values.rowwise() - values.colwise().mean();
}

Learned learn(const ObservedHalf& paths, const MatchingOptions& options) {
  if (options.regressor == "hermite") {
    return [instrument = Instrument(paths.y, paths.responses, options.detail,
                                    options.regressor_options.threads)](const Matrix& points) {
      return instrument.evaluate(points);
    };
  }
  const std::shared_ptr<Regressor> regressor =
      make_regressor(options.regressor, options.regressor_options);
  regressor->fit(paths.y, paths.responses);
  return [regressor](const Matrix& points) { return regressor->evaluate(points); };
}

ObservedHalf joined(const std::array<ObservedHalf, 2>& halves) {
  ObservedHalf all = halves[0];
  for (const auto member : {&ObservedHalf::y, &ObservedHalf::responses}) {
    const Matrix& more = halves[1].*member;
    (all.*member).rows += more.rows;
    (all.*member).data.insert((all.*member).data.end(), more.data.begin(), more.data.end());
  }
  return all;
}

// Sums over the blocks of the data, each weighed by its share of the rows.
class Equations {
 public:
  Equations(const ObservedPaths& paths, const FitData& data, const MatchingOptions& options)
      : paths_(paths),
        data_(data),
        options_(options),
        parameters_(static_cast<Index>(paths.blocks.front()[0].responses.cols)),
        data_influence_(RowMajor::Zero(static_cast<Index>(data.individuals), parameters_)),
        information_(Eigen::MatrixXd::Zero(parameters_, parameters_)),
        effect_variance_(Eigen::VectorXd::Zero(parameters_)),
        response_covariance_(Eigen::MatrixXd::Zero(parameters_, parameters_)),
        tails_(static_cast<std::size_t>(parameters_)) {
    result_.psi = Eigen::VectorXd::Zero(parameters_);
    result_.learned_covariance = Eigen::MatrixXd::Zero(parameters_, parameters_);
    result_.information_parts.assign(2 * parts_of_half,
                                     Eigen::MatrixXd::Zero(parameters_, parameters_));
    for (const auto& halves : paths.blocks) windowed_ = windowed_ || halves[0].longer.rows > 0;
    for (std::size_t h = 0; h < 2; ++h) {
      const auto rows = static_cast<Index>(paths.blocks.front()[h].responses.rows);
      model_influence_[h] = RowMajor::Zero(rows, parameters_);
    }
  }

  Matching run() {
    for (std::size_t b = 0; b < data_.blocks.size(); ++b) add(b);
    result_.information = 0.5 * (information_ + information_.transpose());
    result_.asymmetry = 0.5 * (information_ - information_.transpose());
    result_.effect = information_.diagonal().array() / effect_variance_.array().sqrt().max(1e-300);
    result_.unnoticed = null_space(response_covariance_);
    for (const TailSample& tail : tails_) result_.tail_index.push_back(tail.index().k);
    const auto individuals = static_cast<double>(data_.individuals);
    const auto rows = static_cast<double>(data_.rows);
    result_.data_covariance = cross(data_influence_, data_influence_) *
                              (individuals / std::max(individuals - 1.0, 1.0)) / (rows * rows);
    result_.model_covariance = Eigen::MatrixXd::Zero(parameters_, parameters_);
    for (const RowMajor& influence : model_influence_) {
      // Each half has a share of one half in psi.
      const auto n = static_cast<double>(influence.rows());
      result_.model_covariance += cross(influence, influence) / (4.0 * n * n);
    }
    return windowed_ ? quasi_score(result_) : std::move(result_);
  }

 private:
  // a^T b.
  [[nodiscard]] RowMajor cross(const RowMajor& a, const RowMajor& b) const {
    const auto p = static_cast<std::size_t>(a.cols());
    const auto q = static_cast<std::size_t>(b.cols());
    const std::vector<double> c =
        cross_products(a.data(), p, b.data(), q, static_cast<std::size_t>(a.rows()),
                       options_.regressor_options.threads);
    return Eigen::Map<const RowMajor>(c.data(), a.cols(), b.cols());
  }

  void add(std::size_t b) {
    const DataBlock& block = data_.blocks[b];
    const auto& halves = paths_.blocks[b];
    const double share = static_cast<double>(block.values.rows) / static_cast<double>(data_.rows);
    RowMajor at_data = RowMajor::Zero(static_cast<Index>(block.values.rows), parameters_);
    Eigen::RowVectorXd of_model = Eigen::RowVectorXd::Zero(parameters_);
    LearnedBlock& block_learned = result_.learned.emplace_back();
    block_learned.share = share;
    for (std::size_t h = 0; h < 2; ++h) {
      const ObservedHalf& other = halves[1 - h];
      const Learned& learned = block_learned.halves[h] = learn(halves[h], options_);
      const Matrix values = learned(block.values);
      at_data += 0.5 * view(values);
      const Matrix at_model = learned(other.y);
      const RowMajor influence = centred(at_model);
      of_model += 0.5 * view(at_model).colwise().mean();
      result_.psi -= 0.5 * share * view(at_model).colwise().mean().transpose();
      add_information(influence, centred(other.for_derivative()), share, h);
      model_influence_[1 - h] += share * influence;
    }
    add_data(block, at_data, of_model, share);
  }

  void add_information(const RowMajor& influence, const RowMajor& responses, double share,
                       std::size_t half) {
    const auto n = static_cast<double>(influence.rows());
    const Eigen::MatrixXd products = cross(influence, responses) / n;
    information_ += 0.5 * share * products;
    result_.learned_covariance += 0.5 * share * cross(influence, influence) / n;
    const Eigen::ArrayXXd terms = influence.array() * responses.array();
    for (Index p = 0; p < parameters_; ++p) {
      tails_[static_cast<std::size_t>(p)].add(std::span(terms.col(p).data(), terms.col(p).size()));
    }
    const Eigen::ArrayXd squares = terms.square().colwise().sum().transpose() / n;
    effect_variance_.array() +=
        0.25 * share * share * (squares - products.diagonal().array().square()).max(0.0) / n;
    response_covariance_ += share * cross(responses, responses) / n;
    const Index rows = influence.rows() / static_cast<Index>(parts_of_half);
    for (std::size_t k = 0; k < parts_of_half; ++k) {
      const Index begin = static_cast<Index>(k) * rows;
      const Eigen::MatrixXd part =
          influence.middleRows(begin, rows).transpose() * responses.middleRows(begin, rows);
      Eigen::MatrixXd& sum = result_.information_parts[half * parts_of_half + k];
      if (windowed_) {
        sum += (share / static_cast<double>(rows)) * part;
      } else {
        sum += (0.5 * share / static_cast<double>(rows)) * (part + part.transpose());
      }
    }
  }

  // Both means are one at the root for the true law. That of the data leaves out of the spread what
  // the model gets wrong; that of the model is there for a single row, too.
  void add_data(const DataBlock& block, const RowMajor& at_data, const Eigen::RowVectorXd& of_model,
                double share) {
    const Eigen::RowVectorXd mean = at_data.colwise().mean();
    result_.psi += share * mean.transpose();
    const Eigen::RowVectorXd& centre = has_many(block) ? mean : of_model;
    for (std::size_t r = 0; r < block.values.rows; ++r) {
      data_influence_.row(static_cast<Index>(block.individuals[r])) +=
          at_data.row(static_cast<Index>(r)) - centre;
    }
  }

  const ObservedPaths& paths_;
  const FitData& data_;
  const MatchingOptions& options_;
  Index parameters_;
  bool windowed_ = false;  // H is of longer responses than Ihat, and not symmetric
  Matching result_;
  RowMajor data_influence_;                  // individuals x P, times the number of rows
  std::array<RowMajor, 2> model_influence_;  // paths of a half x P
  Eigen::MatrixXd information_;              // not symmetric
  Eigen::VectorXd effect_variance_;
  Eigen::MatrixXd response_covariance_;
  std::vector<TailSample> tails_;
};

// The default comes first.
const std::vector<Matcher>& matchers() {
  static const std::vector<Matcher> table = {
      {"centred", match_centred, "hermite", true},
      {"neighbours", match_uncentred, "neighbours", false},
  };
  return table;
}

}  // namespace

Matching match_centred(const ObservedPaths& paths, const FitData& data,
                       const MatchingOptions& options) {
  return Equations(paths, data, options).run();
}

Matching match_uncentred(const ObservedPaths& paths, const FitData& data,
                         const MatchingOptions& options) {
  Matching result = match_centred(paths, data, options);
  result.psi.setZero();
  for (std::size_t b = 0; b < data.blocks.size(); ++b) {
    const DataBlock& block = data.blocks[b];
    const double share = static_cast<double>(block.values.rows) / static_cast<double>(data.rows);
    const ObservedHalf all = joined(paths.blocks[b]);
    const Matrix values = learn(all, options)(block.values);
    result.psi += share * view(values).colwise().mean().transpose();
  }
  return result;
}

const Matcher& matcher_named(const std::string& name) {
  for (const Matcher& matcher : matchers()) {
    if (matcher.name == name) return matcher;
  }
  throw Error(ErrorKind::usage,
              fmt::format("match: '{}' is none of: {}.", name, fmt::join(matcher_names(), ", ")));
}

}  // namespace fit

std::vector<std::string> matcher_names() {
  std::vector<std::string> names;
  for (const fit::Matcher& matcher : fit::matchers()) names.push_back(matcher.name);
  return names;
}

}  // namespace divker
