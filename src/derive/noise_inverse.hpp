// S^{-T} and (S S^T)^{-1} on the states that carry noise.
#pragma once

#include "derive/symbols.hpp"

namespace divker::derive {

// C = S S^T on the noisy states, and its symbolic factorisation C = L D L^T. For diagonal noise L
// is the identity and everything costs O(M). Zeros of C stay zeros wherever the factors allow.
class NoiseInverse {
 public:
  explicit NoiseInverse(const Symbols& s);

  // Numbers of the noisy states, ascending; vectors below have one entry for each.
  [[nodiscard]] const std::vector<std::size_t>& noisy_rows() const { return rows_; }
  // S^{-T} db = C^{-1} S db.
  [[nodiscard]] Vector covector_of_increment() const;
  // C^{-1} v and C v.
  [[nodiscard]] Vector solve(const Vector& v) const;
  [[nodiscard]] Vector multiply(const Vector& v) const;
  // log det C.
  [[nodiscard]] Expression log_determinant() const;

 private:
  // A row of S by its nonzero entries: column and amplitude.
  struct Entry {
    std::size_t column = 0;
    Expression amplitude;
  };
  [[nodiscard]] Expression product_of_rows(std::size_t i, std::size_t j) const;
  void multiply_rows();
  void factorise();

  const Symbols& s_;
  std::vector<std::size_t> rows_;
  std::vector<std::vector<Entry>> s_rows_;  // S, its noisy rows
  Vector variances_;                        // the diagonal of C
  std::vector<Vector> covariance_;          // C, and
  std::vector<Vector> lower_;               // L below the diagonal; both empty for diagonal noise
  Vector pivots_;                           // D
};

}  // namespace divker::derive
