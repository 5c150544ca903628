// Every reported error bar against the truth, over 60 seeds: see support/calibration.hpp. The long
// version is `make calibration`.
#include "support/calibration.hpp"

#include <gtest/gtest.h>

namespace divker {
namespace {

// The share of covered intervals has a standard error of about 2% here. It must reach 93%, less
// four of its standard errors: a method that covers 93% falls below with probability 3e-5, so that
// the fourteen cases raise a false alarm with probability below 0.05%, once and for all: the seeds
// are fixed. Too wide is judged by the size of the errors, whose root mean square is 1 if bars are
// right and has a relative error of at most 1 / sqrt(2 * 60) for intervals that move together.
TEST(Calibration, IntervalsCover) {
  for (const test::CalibrationCase& c : test::calibration_cases()) {
    SCOPED_TRACE(c.model + ", " + c.quantity + ", " + c.method);
    const test::Coverage coverage = test::measure_coverage(c, 60);
    EXPECT_GE(coverage.share + 4.0 * coverage.standard_error, 0.93) << coverage.share;
    EXPECT_GE(coverage.root_mean_square * (1.0 + 4.0 * 0.091), 0.8);
  }
}

}  // namespace
}  // namespace divker
