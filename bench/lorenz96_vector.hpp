// The vector code of lorenz96_step.hpp; `Lanes` holds one number of each of the eight paths.
#pragma once

#include "lorenz96_step.hpp"

namespace divker::reference {
namespace {

using Lanes [[gnu::vector_size(64), gnu::may_alias]] = double;
using LaneBits [[gnu::vector_size(64)]] = long long;

[[gnu::always_inline]] inline Lanes& at(double (&numbers)[Lorenz96Block::lanes]) {
  return *reinterpret_cast<Lanes*>(numbers);
}

// exp(a) for a <= 0 to a few units in the last place, and zero below -300: that changes no sum of
// ordinary numbers, and products of results never become subnormal, which costs 100 cycles each.
[[gnu::always_inline]] inline void exponential(const Lanes& a, Lanes& result) {
  constexpr double shift = 0x1.8p52;  // adding it rounds to an integer, in the lowest bits
  const Lanes clamped = a < -300.0 ? Lanes{} - 300.0 : a;
  const Lanes shifted = clamped * 1.4426950408889634 + shift;
  const Lanes n = shifted - shift;
  const Lanes f = (clamped - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
  // 1 / k!, k = 0 ... 13, in two chains of even and odd powers.
  constexpr double inverse[14] = {1.,
                                  1.,
                                  1. / 2,
                                  1. / 6,
                                  1. / 24,
                                  1. / 120,
                                  1. / 720,
                                  1. / 5040,
                                  1. / 40320,
                                  1. / 362880,
                                  1. / 3628800,
                                  1. / 39916800,
                                  1. / 479001600,
                                  1. / 6227020800};
  const Lanes square = f * f;
  Lanes even = Lanes{} + inverse[12], odd = Lanes{} + inverse[13];
  for (int k = 10; k >= 0; k -= 2) {
    even = even * square + inverse[k];
    odd = odd * square + inverse[k + 1];
  }
  const Lanes sum = odd * f + even;
  const LaneBits scale = ((LaneBits)shifted + 1023) << 52;
  result = a < -300.0 ? Lanes{} : sum * (Lanes)scale;
}

[[gnu::always_inline]] inline void wrap(double (*numbers)[8]) {
  constexpr int size = Lorenz96Block::size;
  at(numbers[-2]) = at(numbers[size - 2]);
  at(numbers[-1]) = at(numbers[size - 1]);
  at(numbers[size]) = at(numbers[0]);
  at(numbers[size + 1]) = at(numbers[1]);
}

struct Sums {
  Lanes q, x_z, nu_z, nu_x;
};

[[gnu::always_inline]] inline void sum_up(double (*x)[8], double (*nu)[8], const Lanes* z,
                                          Sums& total) {
  Sums part[2] = {};
  for (int i = 0; i < Lorenz96Block::size; i += 2) {
    for (int half = 0; half < 2; ++half) {
      const Lanes xi = at(x[i + half]), ni = at(nu[i + half]), zi = z[i + half];
      part[half].q += xi * xi;
      part[half].x_z += xi * zi;
      part[half].nu_z += ni * zi;
      part[half].nu_x += ni * xi;
    }
  }
  total = {part[0].q + part[1].q, part[0].x_z + part[1].x_z, part[0].nu_z + part[1].nu_z,
           part[0].nu_x + part[1].nu_x};
}

// NOTE: db = root_dt z is never formed: root_dt is folded into the factors of z.
[[gnu::always_inline]] inline void one_step(const Lorenz96Constants& k, const Lanes* z,
                                            Lorenz96Block& block) {
  constexpr int size = Lorenz96Block::size;
  constexpr double c = 0.01;
  auto* x = block.x[block.current] + 2;
  auto* nu = block.nu[block.current] + 2;
  auto* new_x = block.x[1 - block.current] + 2;
  auto* new_nu = block.nu[1 - block.current] + 2;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): filled below
  Sums sums;
  sum_up(x, nu, z, sums);
  Lanes e;
  exponential(-0.5 * sums.q, e);
  const Lanes sigma = e + k.s;
  const double keep = 1 - k.alpha * k.dt;
  const Lanes x_factor = keep * (-e * k.root_dt * (sums.x_z - sums.nu_z) -
                                 k.dt * e * e * (2 * sums.q - (size + 1) - sums.nu_x));
  const Lanes z_factor = keep * e * k.root_dt - k.alpha * k.root_dt / sigma;
  const Lanes noise = sigma * k.root_dt;
  const double keep_dt = keep * k.dt;
  // The terms of nu' in nu_j, nu_j x_j, and 1.
  const double own = keep + keep_dt, own_x = 2 * c * keep_dt, constant = 2 * c * keep_dt;
  at(block.response[1]) += k.dt * e * (sums.q - size - sums.nu_x) - k.root_dt * sums.nu_z;
  Lanes sum = {};  // of nu'
#pragma GCC unroll 4
  for (int j = 0; j < size; ++j) {
    const Lanes xj = at(x[j]), before = at(x[j - 1]), before2 = at(x[j - 2]), after = at(x[j + 1]);
    const Lanes drift = (after - before2) * before - xj * (1 + c * xj) + k.F;
    at(new_x[j]) = xj + drift * k.dt + noise * z[j];
    const Lanes coupling =
        before2 * at(nu[j - 1]) - after * at(nu[j + 2]) + (at(x[j + 2]) - before) * at(nu[j + 1]);
    const Lanes nu_j = at(nu[j]) * (own + own_x * xj) - keep_dt * coupling + constant +
                       x_factor * xj + z_factor * z[j];
    sum += nu_j;
    at(new_nu[j]) = nu_j;
  }
  at(block.response[0]) -= k.dt * sum;
  wrap(new_x);
  wrap(new_nu);
  block.current = 1 - block.current;
}

[[gnu::always_inline]] inline void all_steps(const Lorenz96Constants& constants,
                                             const double* normals, std::size_t steps,
                                             Lorenz96Block& block) {
  const Lanes* z = reinterpret_cast<const Lanes*>(normals);
  for (std::size_t step = 0; step < steps; ++step, z += Lorenz96Block::size) {
    one_step(constants, z, block);
  }
}

}  // namespace
}  // namespace divker::reference
