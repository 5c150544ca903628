#include "derive/noise_inverse.hpp"

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
  s_rows_.resize(n);
  for (std::size_t k = 0; k < s.columns.size(); ++k) {
    const Field& column = s.columns[k];
    for (std::size_t e = 0; e < column.rows.size(); ++e) {
      s_rows_[place[column.rows[e]]].push_back({k, column.values[e]});
    }
  }
  multiply_rows();
  factorise();
}

// Both rows are in the order of columns.
Expression NoiseInverse::product_of_rows(std::size_t i, std::size_t j) const {
  Vector terms;
  auto b = s_rows_[j].begin();
  for (const Entry& a : s_rows_[i]) {
    while (b != s_rows_[j].end() && b->column < a.column) ++b;
    if (b == s_rows_[j].end()) break;
    if (b->column == a.column) terms.push_back(a.amplitude * b->amplitude);
  }
  return sum(*s_.graph, terms);
}

void NoiseInverse::multiply_rows() {
  const std::size_t n = rows_.size();
  if (!s_.diagonal_covariance) covariance_.assign(n, Vector(n, s_.zero()));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i && !s_.diagonal_covariance; ++j) {
      covariance_[i][j] = product_of_rows(i, j);
      covariance_[j][i] = covariance_[i][j];
    }
    variances_.push_back(product_of_rows(i, i));
    if (!s_.diagonal_covariance) covariance_[i][i] = variances_[i];
  }
}

void NoiseInverse::factorise() {
  const std::size_t n = rows_.size();
  if (!s_.diagonal_covariance) lower_.assign(n, Vector(n, s_.zero()));
  for (std::size_t j = 0; j < n; ++j) {
    Expression pivot = variances_[j];
    for (std::size_t k = 0; k < j && !s_.diagonal_covariance; ++k)
      pivot = pivot - lower_[j][k] * lower_[j][k] * pivots_[k];
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
    product.push_back(s_.diagonal_covariance ? variances_[i] * v[i]
                                             : dot(*s_.graph, covariance_[i], v));
  }
  return product;
}

Vector NoiseInverse::covector_of_increment() const {
  Vector increment;
  for (const std::vector<Entry>& row : s_rows_) {
    Vector terms;
    for (const Entry& entry : row) terms.push_back(entry.amplitude * s_.db[entry.column]);
    increment.push_back(sum(*s_.graph, terms));
  }
  Vector covector = solve(increment);
  if (!s_.diagonal_covariance) return covector;
  // A state with one Brownian motion of its own: db / S, without the square of S.
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const std::vector<Entry>& row = s_rows_[i];
    if (row.size() == 1) covector[i] = s_.db[row.front().column] / row.front().amplitude;
  }
  return covector;
}

Expression NoiseInverse::log_determinant() const {
  Vector terms;
  for (const Expression& pivot : pivots_) terms.push_back(log(pivot));
  return sum(*s_.graph, terms);
}

}  // namespace divker::derive
