// The few operations of vector calculus from which every formula of the step is made.
#pragma once

#include <span>

#include "derive/symbols.hpp"

namespace divker::derive {

// div V = sum_i d V_i / d x_i.
[[nodiscard]] Expression divergence(const Symbols& s, const Field& field);

// D_nu(V) = div V + nu . V: the divergence of V with respect to a density whose score is nu.
[[nodiscard]] Expression weighted_divergence(const Symbols& s, const Field& field);

// A scalar that is differentiated in x once, made of terms some factors of which are held constant
// whatever they are made of. One reverse pass for all terms shares far more than one for each.
class HeldScalar {
 public:
  explicit HeldScalar(const Symbols& s) : s_(s) {}
  void add(Expression term) { terms_.push_back(term); }
  // Adds w . V with w held constant, whose gradient is (grad V)^T w; one weight for each row of V.
  void add_transported(const Field& field, const Vector& weights);
  [[nodiscard]] Vector gradient_in_x() const;

 private:
  const Symbols& s_;
  Vector terms_;
  Vector held_;
  Vector values_;
};

// tr(grad U grad V) = sum_ij d_j U_i d_i V_j over the rows i of U and j of V.
[[nodiscard]] Expression trace_of_jacobian_product(const Symbols& s, const Field& u,
                                                   const Field& v);

// (grad V) u with gamma held constant inside grad V, so that a later derivative in gamma sees u
// only. `held` are the placeholders that stand for gamma there.
[[nodiscard]] Field held_directional_derivative(const Symbols& s, const Field& field,
                                                const Field& u, std::span<const Expression> held);

}  // namespace divker::derive
