// The response of a mean to the parameters, d/dgamma E[Phi(x_T; gamma)], from pathwise numbers.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "divker/archive.hpp"
#include "divker/matrix.hpp"
#include "divker/moments.hpp"
#include "divker/tail_index.hpp"

namespace divker {

// What an ensemble says about an observable Phi; vectors have one entry for each parameter.
struct ObservableResponse {
  Estimate value;                  // mean of Phi
  std::vector<Estimate> response;  // with the control variate: the one to use
  std::vector<Estimate> plain;     // without it
  std::vector<Estimate> mass;      // mean of I, zero but for errors
};

// Accumulates samples (Phi, I, dPhi/dgamma) and answers with
//
//   plain_p    = mean((Phi - mean Phi) I_p) + mean(dPhi_p)
//   response_p = plain_p - c_p mean(I_p) ,    c_p = Cov(z_p, I_p) / Var(I_p) ,
//
// where z_p = (Phi - mean Phi)(I_p - mean I_p) + dPhi_p is plain_p's influence function. E[I] = 0
// (the total mass of a density does not respond) makes I_p a control variate: the same limit, and
// asymptotically never a larger variance, Var(z) - Cov(z, I)^2 / Var(I). Where I comes from a time
// step that leaves a bias O(dt) in E[I], the response takes over c times that bias, again O(dt).
//
// Standard errors are those of the delta method, sqrt(Var(influence) / (n - 1)); the bias of both
// estimates is O(1/n). They ask for finite fourth moments of the pair (Phi, I).
//
// The tail index is that of |u I_p + w_p|, with u and w the deviations of Phi and dPhi_p from their
// means in the block that is added: z_p but for the centres, which do not matter where z_p is large
// and are not known before the last sample. I_p is left as it is because E[I] = 0 is known, while
// one huge I would move the centre of its whole block. Blocks should have many samples (a group of
// paths has 256): a mean follows its own outliers, and a sample by itself has u = 0. The control
// variate leaves the tail of z_p as it is unless Phi loses its spread where I_p is large: c_p I_p
// may then have the heavier tail.
//
// All sums are kept about the running means, so large offsets of Phi cost no digits; samples added
// and accumulators merged in the same order give the same bits. Cost: O(P) a sample, 4 KiB a
// parameter.
class ResponseAccumulator {
 public:
  ResponseAccumulator() = default;
  explicit ResponseAccumulator(std::size_t parameters);

  // One block of samples: `phi` has n entries, `integral` is n x P, `explicit_part` (dPhi/dgamma)
  // is n x P or empty for an observable that does not depend on the parameters. Throws Error(usage)
  // for other shapes.
  void add(std::span<const double> phi, const Matrix& integral, const Matrix& explicit_part = {});
  void merge(const ResponseAccumulator& other);
  void transfer(Archive& archive) {
    archive(count_, mean_u_, uu_);
    for (Sums& sums : sums_) archive(std::span(&sums, 1));
    for (TailSample& tail : tails_) archive(tail);
  }

  [[nodiscard]] std::size_t parameters() const { return sums_.size(); }
  [[nodiscard]] std::size_t count() const { return count_; }
  // Throws Error(usage) for fewer than two samples.
  [[nodiscard]] ObservableResponse result() const;
  // The Pareto k of the summands, for each parameter. Cost: 0.1 ms each.
  [[nodiscard]] std::vector<double> tail_indices() const;

 private:
  // Sums over the samples of products of u = Phi - mean, v = I - mean, w = dPhi - mean.
  struct Sums {
    double mean_v = 0.0, mean_w = 0.0;
    double uv = 0.0, uw = 0.0, vv = 0.0, vw = 0.0, ww = 0.0;
    double uuv = 0.0, uvv = 0.0, uvw = 0.0, uuvv = 0.0;
  };
  static Sums shifted(const Sums& s, double uu, double n, double du, double dv, double dw);
  [[nodiscard]] static Sums block_sums(std::span<const double> u, const Matrix& integral,
                                       const Matrix& explicit_part, std::size_t p);
  void add_tails(std::span<const double> u, const Matrix& integral, const Matrix& explicit_part,
                 std::span<const Sums> block);
  void merge_sums(std::size_t count, double mean_u, double uu, std::span<const Sums> other);

  std::size_t count_ = 0;
  double mean_u_ = 0.0;
  double uu_ = 0.0;
  std::vector<Sums> sums_;
  std::vector<TailSample> tails_;
};

}  // namespace divker
