#include "derive/noise_inverse.hpp"

#include <algorithm>

#include "divker/error.hpp"

namespace divker::derive {

NoiseInverse::NoiseInverse(const Symbols& s) : s_(s) {
  std::vector<std::size_t> place(s.x.size(), 0);
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    if (!s.noisy[i]) continue;
    place[i] = rows_.size();
    rows_.push_back(i);
  }
  const std::size_t n = rows_.size();
  s_rows_.assign(n, Vector(s.columns.size(), s.zero()));
  for (std::size_t k = 0; k < s.columns.size(); ++k) {
    const Field& column = s.columns[k];
    for (std::size_t e = 0; e < column.rows.size(); ++e) {
      s_rows_[place[column.rows[e]]][k] = column.values[e];
    }
  }
  covariance_.assign(n, Vector(n, s.zero()));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = s.diagonal_covariance ? i : 0; j <= i; ++j) {
      covariance_[i][j] = dot(*s.graph, s_rows_[i], s_rows_[j]);
      covariance_[j][i] = covariance_[i][j];
    }
  }
  factorise();
}

void NoiseInverse::factorise() {
  const std::size_t n = rows_.size();
  lower_.assign(n, Vector(n, s_.zero()));
  for (std::size_t j = 0; j < n; ++j) {
    Expression pivot = covariance_[j][j];
    for (std::size_t k = 0; k < j; ++k) pivot = pivot - lower_[j][k] * lower_[j][k] * pivots_[k];
    if (pivot.is_zero()) {
      throw Error(ErrorKind::model, "The noise matrix is singular: the noise of state number " +
                                        std::to_string(rows_[j]) +
                                        " is a combination of the noise of the states before it.");
    }
    pivots_.push_back(pivot);
    if (s_.diagonal_covariance) continue;
    for (std::size_t i = j + 1; i < n; ++i) {
      Expression entry = covariance_[i][j];
      for (std::size_t k = 0; k < j; ++k) entry = entry - lower_[i][k] * lower_[j][k] * pivots_[k];
      lower_[i][j] = entry / pivot;
    }
  }
}

Vector NoiseInverse::solve(const Vector& v) const {
  const std::size_t n = rows_.size();
  const bool triangular = !s_.diagonal_covariance;
  Vector y = v;
  for (std::size_t i = 0; triangular && i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) y[i] = y[i] - lower_[i][k] * y[k];
  }
  for (std::size_t i = 0; i < n; ++i) y[i] = y[i] / pivots_[i];
  for (std::size_t i = n; triangular && i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) y[i] = y[i] - lower_[k][i] * y[k];
  }
  return y;
}

Vector NoiseInverse::multiply(const Vector& v) const {
  Vector product;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    product.push_back(s_.diagonal_covariance ? covariance_[i][i] * v[i]
                                             : dot(*s_.graph, covariance_[i], v));
  }
  return product;
}

Vector NoiseInverse::covector_of_increment() const {
  Vector increment;
  for (const Vector& row : s_rows_) increment.push_back(dot(*s_.graph, row, s_.db));
  Vector covector = solve(increment);
  if (!s_.diagonal_covariance) return covector;
  // A state with one Brownian motion of its own: db / S, without the square of S.
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto is_nonzero = [](const Expression& e) { return !e.is_zero(); };
    const Vector& row = s_rows_[i];
    if (std::count_if(row.begin(), row.end(), is_nonzero) != 1) continue;
    const auto k = std::find_if(row.begin(), row.end(), is_nonzero) - row.begin();
    covector[i] = s_.db[static_cast<std::size_t>(k)] / row[static_cast<std::size_t>(k)];
  }
  return covector;
}

Expression NoiseInverse::log_determinant() const {
  Vector terms;
  for (const Expression& pivot : pivots_) terms.push_back(log(pivot));
  return sum(*s_.graph, terms);
}

}  // namespace divker::derive
