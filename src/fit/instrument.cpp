#include "fit/instrument.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "estimate/parallel.hpp"
#include "estimate/products.hpp"
#include "numbers/monomials.hpp"

namespace divker::fit {
namespace {

using Eigen::Index;

constexpr std::size_t block_rows = 256;
constexpr std::size_t most_features = 300;
constexpr std::size_t most_with_local_ones = 450;
constexpr std::size_t most_where_all_are_local = 600;
constexpr std::size_t highest_local_degree = 4;
constexpr std::size_t most_of_fine_ones = 1000;
constexpr std::size_t highest_fine_degree = 5;
constexpr std::size_t highest_degree = 8;
constexpr std::size_t samples_per_feature = 10;
constexpr std::size_t samples_per_fine_feature = 50;
constexpr std::size_t knots = 257;

double normal_distribution(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// Columns W with W^T m W = 1, for the directions in which m is not all but singular.
Eigen::MatrixXd whitening_of(const RowMajor& m) {
  constexpr double singular = 1e-8;
  const Eigen::VectorXd scale = m.diagonal().array().max(1e-300).rsqrt();
  const Eigen::MatrixXd scaled = scale.asDiagonal() * m * scale.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scaled);
  const Eigen::VectorXd& values = solver.eigenvalues();
  const Index kept = std::max<Index>(1, (values.array() > singular * values.maxCoeff()).count());
  return scale.asDiagonal() * solver.eigenvectors().rightCols(kept) *
         values.tail(kept).array().max(1e-300).rsqrt().matrix().asDiagonal();
}

template <typename Table>
auto rows_of(Table&& table, std::size_t begin, std::size_t end) {
  return table.middleRows(static_cast<Index>(begin), static_cast<Index>(end - begin));
}

// What a least-squares fit needs of n rows, f features and t targets.
struct Sums {
  Sums(Index p, Index outputs)
      : features(Eigen::RowVectorXd::Zero(p)),
        gram(RowMajor::Zero(p, p)),
        moments(RowMajor::Zero(p, outputs)),
        squares(RowMajor::Zero(outputs, outputs)) {}

  // p x rows and rows x outputs.
  void add(const RowMajor& f, const RowMajor& t) {
    const auto p = static_cast<std::size_t>(f.rows());
    const auto outputs = static_cast<std::size_t>(t.cols());
    const auto rows = static_cast<std::size_t>(t.rows());
    features += f.rowwise().sum().transpose();
    const Operand features_here{f.data(), p, rows, true};
    const Operand targets_here{t.data(), outputs, rows};
    add_product(features_here, features_here, gram.data(), true, 1);
    add_product(features_here, targets_here, moments.data(), false, 1);
    add_product(targets_here, targets_here, squares.data(), false, 1);
  }

  void operator+=(const Sums& other) {
    features += other.features;
    gram += other.gram;
    moments += other.moments;
    squares += other.squares;
  }

  Eigen::RowVectorXd features;
  RowMajor gram;  // f^T f, the upper triangle
  RowMajor moments;
  RowMajor squares;
};

}  // namespace

NormalScores::NormalScores(std::vector<double> sample) {
  std::sort(sample.begin(), sample.end());
  const auto n = static_cast<double>(sample.size());
  // Where half a sample is left beyond.
  double reach = 0.0;
  while (n * normal_distribution(-reach) > 0.5) reach += 0.01;
  for (std::size_t k = 0; k < knots; ++k) {
    const double share = 2.0 * static_cast<double>(k) / static_cast<double>(knots - 1) - 1.0;
    const double z = reach * share;
    const double rank = std::clamp(n * normal_distribution(z) - 0.5, 0.0, n - 1.0);
    const auto below = static_cast<std::size_t>(rank);
    const std::size_t above = std::min(below + 1, sample.size() - 1);
    const double part = rank - static_cast<double>(below);
    const double quantile = (1.0 - part) * sample[below] + part * sample[above];
    if (!knots_.empty() && quantile <= knots_.back()) continue;
    knots_.push_back(quantile);
    scores_.push_back(z);
  }
  // A cell for each knot would do for even ones; where a tail makes some cells full, the search in
  // them is longer.
  constexpr std::size_t cells = 4 * knots;
  const double width = (knots_.back() - knots_.front()) / static_cast<double>(cells);
  cells_per_unit_ = 1.0 / width;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const double start = knots_.front() + static_cast<double>(cell) * width;
    const auto beyond = std::upper_bound(knots_.begin(), knots_.end() - 1, start);
    first_beyond_.push_back(static_cast<std::size_t>(beyond - knots_.begin()));
  }
}

double NormalScores::operator()(double value) const {
  if (value <= knots_.front()) return scores_.front();
  if (value >= knots_.back()) return scores_.back();
  const double cell = (value - knots_.front()) * cells_per_unit_;
  const std::size_t last = first_beyond_.size() - 1;
  std::size_t k =
      first_beyond_[cell < static_cast<double>(last) ? static_cast<std::size_t>(cell) : last];
  // Rounding may have chosen the cell beside.
  while (knots_[k - 1] > value) --k;
  while (knots_[k] <= value) ++k;
  const double part = (value - knots_[k - 1]) / (knots_[k] - knots_[k - 1]);
  return scores_[k - 1] + part * (scores_[k] - scores_[k - 1]);
}

std::size_t Instrument::degree_of(const Product& product) {
  std::size_t degree = 0;
  for (const Factor& factor : product) degree += factor.degree;
  return degree;
}

Instrument::Instrument(const Matrix& y, const Matrix& responses, Detail detail, std::size_t threads)
    : threads_(threads), products_(choose_products(y.cols, y.rows, detail)) {
  learn_scores(y);
  RowMajor scores(static_cast<Index>(y.rows), static_cast<Index>(y.cols));
  for_each_block(y.rows, block_rows, threads_, [&](std::size_t begin, std::size_t end) {
    rows_of(scores, begin, end) = scores_of(y, begin, end);
  });
  decorrelate(scores);
  const auto outputs = static_cast<Index>(responses.cols);
  const Eigen::Map<const RowMajor> targets(responses.data.data(),
                                           static_cast<Index>(responses.rows), outputs);
  mean_ = targets.colwise().mean();
  const Sums zero(static_cast<Index>(products_.size()), outputs);
  const auto add = [&](std::size_t begin, std::size_t end, Sums& sums) {
    sums.add(features_of(rows_of(scores, begin, end)),
             rows_of(targets, begin, end).rowwise() - mean_);
  };
  Sums sums = sum_over_rows(y.rows, block_rows, threads_, zero, add);
  const auto n = static_cast<double>(y.rows);
  feature_mean_ = sums.features / n;
  sums.gram.triangularView<Eigen::StrictlyLower>() = sums.gram.transpose();
  sums.gram -= n * feature_mean_.transpose() * feature_mean_;
  solve(std::move(sums.gram), sums.moments, sums.squares, n);
}

void Instrument::learn_scores(const Matrix& y) {
  std::vector<std::optional<NormalScores>> learned(y.cols);
  for_each_block(y.cols, 1, threads_,
                 [&](std::size_t begin, std::size_t) { learned[begin].emplace(y.column(begin)); });
  for (std::optional<NormalScores>& one : learned) scores_.push_back(std::move(*one));
}

Instrument::Products Instrument::choose_products(std::size_t dimension, std::size_t samples,
                                                 Detail detail) {
  const std::size_t room = samples / samples_per_feature;
  const std::size_t most = std::min(most_features, room);
  std::size_t complete = 1;
  while (complete < highest_degree &&
         numbers::count_monomials(dimension, complete + 1) - 1 <= most) {
    ++complete;
  }
  Products products;
  for (std::size_t degree = 1; degree <= complete; ++degree) {
    add_products(dimension, degree, products);
  }
  if (dimension < 3) return products;
  if (complete == 1) {
    add_local_products(dimension, 2, std::min(most_where_all_are_local, room), products);
  } else if (detail == Detail::coarse && complete < highest_local_degree) {
    add_local_products(dimension, complete + 1, std::min(most_with_local_ones, room), products);
  } else if (detail == Detail::fine) {
    // Each degree gets half of the room that is left.
    const std::size_t most_in_all = std::min(most_of_fine_ones, samples / samples_per_fine_feature);
    for (std::size_t degree = complete + 1; degree <= highest_fine_degree; ++degree) {
      const std::size_t left = most_in_all - std::min(most_in_all, products.size());
      add_local_products(dimension, degree, products.size() + left / 2, products);
    }
  }
  return products;
}

std::size_t Instrument::features_for(std::size_t dimension, std::size_t samples) {
  return std::max(choose_products(dimension, samples, Detail::fine).size(),
                  choose_products(dimension, samples, Detail::coarse).size());
}

bool Instrument::can_be_finer(std::size_t dimension, std::size_t samples) {
  return choose_products(dimension, samples, Detail::fine).size() >
         choose_products(dimension, samples, Detail::coarse).size();
}

// Products of near neighbours in the order of declaration, taken as a ring: all that fit into
// windows of growing width, until there would be more than `most`. They are made of the normal
// scores themselves, because decorrelated coordinates are no longer local.
void Instrument::add_local_products(std::size_t dimension, std::size_t degree, std::size_t most,
                                    Products& products) {
  const std::size_t before = products.size();
  for (std::size_t reach = 0; 2 * reach < dimension; ++reach) {
    if (before + dimension * numbers::count_monomials(reach, degree - 1) > most) break;
    products.resize(before);
    // The first coordinate of a window and others, told by their distance from it.
    const std::vector<numbers::Monomial> distances =
        numbers::monomials_of_degree(reach + 1, degree - 1);
    for (std::size_t first = 0; first < dimension; ++first) {
      for (const numbers::Monomial& others : distances) {
        Product product{{dimension + first, 1}};
        for (const std::size_t distance : others) {
          multiply(product, dimension + (first + distance) % dimension);
        }
        products.push_back(std::move(product));
      }
    }
  }
}

// All products of a degree, those of the first coordinates alone before those that have others: the
// lexicographic order, backwards, of the coordinates counted from the last.
void Instrument::add_products(std::size_t dimension, std::size_t degree, Products& products) {
  const std::vector<numbers::Monomial> all = numbers::monomials_of_degree(dimension, degree);
  for (std::size_t k = all.size(); k-- > 0;) {
    Product product;
    for (const std::size_t from_last : all[k]) multiply(product, dimension - 1 - from_last);
    products.push_back(std::move(product));
  }
}

// One more factor: again the last one, or a new one.
void Instrument::multiply(Product& product, std::size_t coordinate) {
  if (!product.empty() && product.back().coordinate == coordinate) {
    ++product.back().degree;
  } else {
    product.push_back({coordinate, 1});
  }
}

RowMajor Instrument::scores_of(const Matrix& points, std::size_t begin, std::size_t end) const {
  RowMajor z(static_cast<Index>(end - begin), static_cast<Index>(points.cols));
  for (std::size_t r = begin; r < end; ++r) {
    double* row = z.row(static_cast<Index>(r - begin)).data();
    for (std::size_t c = 0; c < points.cols; ++c) row[c] = scores_[c](points(r, c));
  }
  return z;
}

void Instrument::decorrelate(const RowMajor& scores) {
  const Index d = scores.cols();
  const RowMajor zero = RowMajor::Zero(d, d);
  const auto add = [&](std::size_t begin, std::size_t end, RowMajor& sum) {
    const auto rows = rows_of(scores, begin, end);
    sum.noalias() += rows.transpose() * rows;
  };
  RowMajor products =
      sum_over_rows(static_cast<std::size_t>(scores.rows()), block_rows, threads_, zero, add);
  products /= static_cast<double>(scores.rows());
  products.diagonal().array() += 1e-6;
  const Eigen::LLT<Eigen::MatrixXd> factor(products);
  whitening_ = factor.matrixL().solve(Eigen::MatrixXd::Identity(d, d));
}

RowMajor Instrument::features_of(const RowMajor& scores) const {
  const Index d = scores.cols();
  const bool with_local = products_.back().back().coordinate >= static_cast<std::size_t>(d);
  RowMajor x(with_local ? 2 * d : d, scores.rows());
  x.topRows(d) = whitening_ * scores.transpose();
  if (with_local) x.bottomRows(d) = scores.transpose();
  // Of degree k all coordinates are together: orthonormal,
  // sqrt(k+1) h_{k+1} = x h_k - sqrt(k) h_{k-1}.
  const std::size_t degree = degree_of(products_.back());
  std::vector<RowMajor> hermite(degree + 1);
  hermite[0] = RowMajor::Ones(x.rows(), x.cols());
  hermite[1] = x;
  for (std::size_t k = 1; k < degree; ++k) {
    const auto n = static_cast<double>(k);
    hermite[k + 1] =
        (x.cwiseProduct(hermite[k]) - std::sqrt(n) * hermite[k - 1]) / std::sqrt(n + 1.0);
  }
  RowMajor f(static_cast<Index>(products_.size()), scores.rows());
  for (Index j = 0; j < f.rows(); ++j) {
    const Product& product = products_[static_cast<std::size_t>(j)];
    const auto values = [&](const Factor& factor) {
      return hermite[factor.degree].row(static_cast<Index>(factor.coordinate)).array();
    };
    f.row(j) = values(product[0]);
    for (std::size_t k = 1; k < product.size(); ++k) f.row(j).array() *= values(product[k]);
  }
  return f;
}

// What degree makes the estimate most precise? With p features, K the covariance of Ihat and R that
// of what they leave of I, K = H + (p/n) R, where the second part is noise, and the estimate has a
// covariance like H^-1 K H^-1. Its determinant, which does not depend on the coordinates of the
// parameters, is made smallest: in those in which I is white K has the eigenvalues k, R 1 - k. One
// choice for all responses keeps H symmetric. In the orthonormal basis that Gram and Schmidt make
// of the features each adds to K by itself.
void Instrument::solve(RowMajor gram, const RowMajor& moments, const RowMajor& squares, double n) {
  gram.diagonal().array() += 1e-6 * n;
  const Eigen::LLT<Eigen::MatrixXd> factor(gram);
  const RowMajor rotated = factor.matrixL().solve(moments);
  const Eigen::MatrixXd whitened = rotated * whitening_of(squares);
  // What chance makes of nothing.
  const double least = std::sqrt(2.0 * static_cast<double>(products_.size())) / n;
  Eigen::MatrixXd explained = Eigen::MatrixXd::Zero(whitened.cols(), whitened.cols());
  Index added = 0;
  Index chosen = 0;
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t j = 0; j < products_.size(); ++j) {
    const bool last = j + 1 == products_.size();
    if (!last && degree_of(products_[j + 1]) == degree_of(products_[j])) continue;
    const auto p = static_cast<Index>(j + 1);
    const auto rows = whitened.middleRows(added, p - added);
    explained.noalias() += rows.transpose() * rows;
    added = p;
    const Eigen::ArrayXd k =
        Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(explained, Eigen::EigenvaluesOnly)
            .eigenvalues();
    const double noise = static_cast<double>(p) / (n - static_cast<double>(p));
    const Eigen::ArrayXd information = (k - noise * (1.0 - k)).max(least);
    const double score = (k.max(least) / information.square()).log().sum();
    if (chosen > 0 && !(score < best)) continue;
    best = score;
    chosen = p;
  }
  const Eigen::MatrixXd upper = factor.matrixU();
  coefficients_ = upper.topLeftCorner(chosen, chosen)
                      .triangularView<Eigen::Upper>()
                      .solve(rotated.topRows(chosen));
  products_.resize(static_cast<std::size_t>(chosen));
  feature_mean_.conservativeResize(chosen);
}

Matrix Instrument::evaluate(const Matrix& points) const {
  Matrix result(points.rows, static_cast<std::size_t>(coefficients_.cols()));
  for_each_block(points.rows, block_rows, threads_, [&](std::size_t begin, std::size_t end) {
    RowMajor f = features_of(scores_of(points, begin, end));
    f.colwise() -= feature_mean_.transpose();
    Eigen::Map<RowMajor> out(result.row(begin).data(), f.cols(), coefficients_.cols());
    out.rowwise() = mean_;
    add_product({f.data(), end - begin, products_.size()},
                {coefficients_.data(), result.cols, products_.size()}, result.row(begin).data(),
                false, 1);
  });
  return result;
}

}  // namespace divker::fit
