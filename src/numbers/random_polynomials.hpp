// Minimax polynomials of the Box-Muller transform, lowest power first.
// Printed by random_polynomials.py; change that, not this.
#pragma once

namespace divker::random_detail {

struct FastPolynomials {
  // -2 log(1 + f) / f on [-1/4, 1/2]: relative error 1.7e-11.
  static constexpr double log_terms[] = {
      -0x1.0000000010869p+1, 0x1.000000024e0f2p+0, -0x1.555554aac4af8p-1, 0x1.fffff6113dbe5p-2,
      -0x1.999a1db34b988p-2, 0x1.5558b1622ca9ep-2, -0x1.2482dd534b39bp-2, 0x1.ff0dcb5962e35p-3,
      -0x1.c7b07010e5bb2p-3, 0x1.a79f1b609dca7p-3, -0x1.8a0d55dcb0de5p-3, 0x1.21b5192674cdfp-3,
      -0x1.af6e649cad603p-5};
  // -2 log(1 + f) / f on [-1/32, 1/16]: relative error 4.4e-11.
  static constexpr double near_log_terms[] = {-0x1.ffffffffd635cp+0, 0x1.ffffffa468949p-1,
                                              -0x1.55555f7de5261p-1, 0x1.00048540f1138p-1,
                                              -0x1.998a5560fb907p-2, 0x1.3c08f88255e6fp-2};
  // sin(pi t) / t in powers of t^2, |t| <= 1/2: relative error 2.1e-11.
  static constexpr double sine_terms[] = {0x1.921fb5441e4b4p+1, -0x1.4abbce4f1a6c9p+2,
                                          0x1.466bbfc25db45p+1, -0x1.32d11203e06fep-1,
                                          0x1.500ff833efc12p-4, -0x1.cc345f7ee2b55p-8};
  // cos(pi t) in powers of t^2, |t| <= 1/2: absolute error 7.5e-13.
  static constexpr double cosine_terms[] = {
      0x1.fffffffffe5aep-1, -0x1.3bd3cc9b93a26p+2, 0x1.03c1f06d7e883p+2, -0x1.55d3c04b75488p+0,
      0x1.e1f24e5cbe802p-3, -0x1.a651cf439a2f0p-6, 0x1.e259c9958fb05p-10};
};

struct FullPolynomials {
  // -2 log(1 + f) / f on [-1/4, 1/2]: relative error 4.9e-17.
  static constexpr double log_terms[] = {
      -0x1.0000000000000p+1, 0x1.0000000000009p+0, -0x1.5555555555a88p-1, 0x1.fffffffffc6f8p-2,
      -0x1.99999998e80d0p-2, 0x1.5555555662270p-2, -0x1.2492496db7702p-2, 0x1.0000003591c2ap-2,
      -0x1.c71c54a15d7a1p-3, 0x1.99995394d7f99p-3, -0x1.746002db1836ep-3, 0x1.556146029b3b7p-3,
      -0x1.3af4c4d3b4fe9p-3, 0x1.23a89b5d3636bp-3, -0x1.10a9dd3641459p-3, 0x1.077720422c60cp-3,
      -0x1.02dce34c745b9p-3, 0x1.bf38278659fd0p-4, -0x1.0a3ceae8d15cap-4, 0x1.2df0e2a11f01ep-6};
  // -2 log(1 + f) / f on [-1/32, 1/16]: relative error 7.9e-18.
  static constexpr double near_log_terms[] = {
      -0x1.0000000000000p+1, 0x1.0000000000004p+0, -0x1.5555555556347p-1, 0x1.ffffffffef83fp-2,
      -0x1.9999997cfe601p-2, 0x1.555554a36d768p-2, -0x1.2492e167074e9p-2, 0x1.000a2092b871dp-2,
      -0x1.c56bc42d99fddp-3, 0x1.657a146c35204p-3};
  // sin(pi t) / t in powers of t^2, |t| <= 1/2: relative error 2.6e-19.
  static constexpr double sine_terms[] = {
      0x1.921fb54442d18p+1,  -0x1.4abbce625be52p+2,  0x1.466bc6775aa6ep+1,
      -0x1.32d2cce627542p-1, 0x1.50783485190b6p-4,   -0x1.e3074ddd1d2c4p-8,
      0x1.e8f35e9d59d7cp-12, -0x1.6f79770e35db1p-16, 0x1.9d1b86f1b22d8p-21};
  // cos(pi t) in powers of t^2, |t| <= 1/2: absolute error 3.9e-18.
  static constexpr double cosine_terms[] = {
      0x1.0000000000000p+0,  -0x1.3bd3cc9be45dbp+2,  0x1.03c1f081b5993p+2,
      -0x1.55d3c7e3bfc44p+0, 0x1.e1f506813c9ebp-3,   -0x1.a6d1efc969530p-6,
      0x1.f9d2548937763p-10, -0x1.b69582e2f780ap-14, 0x1.167972088fcdep-18};
};

// For m in [1 + k/16, 1 + (k+1)/16): c near 1/m with |m c - 1| <= 1/16, and 2 log(c).
struct LogTable {
  static constexpr double inverses[] = {
      0x1.0000000000000p+0, 0x1.d400000000000p-1, 0x1.ba00000000000p-1, 0x1.a400000000000p-1,
      0x1.9000000000000p-1, 0x1.7e00000000000p-1, 0x1.6c00000000000p-1, 0x1.5c00000000000p-1,
      0x1.4e00000000000p-1, 0x1.4200000000000p-1, 0x1.3600000000000p-1, 0x1.2a00000000000p-1,
      0x1.2000000000000p-1, 0x1.1600000000000p-1, 0x1.0c00000000000p-1, 0x1.0000000000000p-1};
  static constexpr double bases[] = {0x0.0p+0,
                                     -0x1.700d30aeac0e1p-3,
                                     -0x1.2d1610c86813ap-2,
                                     -0x1.95a5adcf7017fp-2,
                                     -0x1.f991c6cb3b379p-2,
                                     -0x1.2bef07cdc9354p-1,
                                     -0x1.5d5bddf595f30p-1,
                                     -0x1.8b639a88b2df5p-1,
                                     -0x1.b56fa04462909p-1,
                                     -0x1.dae75484c9616p-1,
                                     -0x1.00e5ae5b207abp+0,
                                     -0x1.151c3f6f29612p+0,
                                     -0x1.269621134db92p+0,
                                     -0x1.38ae2171976e7p+0,
                                     -0x1.4b6fd6f970c1fp+0,
                                     -0x1.62e42fefa39efp+0};
};

}  // namespace divker::random_detail
