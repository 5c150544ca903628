// Every reported error bar against the truth: see support/calibration.hpp for the bars of the chain
// and support/sde_calibration.hpp for those of the SDE. The long version is `make calibration`.
#include "support/calibration.hpp"

#include <gtest/gtest.h>

#include "support/sde_calibration.hpp"

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

// Asked with all defaults at the shipped dt and at four times it, against the SDE's own answers. As
// above: nine questions at two steps raise a false alarm with probability below 0.06%. A bias of dt
// that is most of a bar makes it hold the truth always.
TEST(Calibration, IntervalsHoldTheAnswersOfTheSde) {
  for (const int times : {1, 4}) {
    for (const test::CalibrationCase& c : test::sde_cases(times)) {
      SCOPED_TRACE(c.model + ", " + c.quantity + ", dt times " + std::to_string(times));
      const test::Coverage coverage = test::measure_coverage(c, 20);
      EXPECT_GE(coverage.share + 4.0 * coverage.standard_error, 0.93) << coverage.share;
    }
  }
}

// On steep flanks bars fall short, by a factor that a mean over neighbours, on the denser side of
// the flank, would exceed: 2.9.
TEST(Calibration, BarsOnSteepFlanksSeeDt) {
  const test::CalibrationCase steep = test::steep_case(4);
  const test::Coverage coverage = test::measure_coverage(steep, 20);
  EXPECT_LT(coverage.root_mean_square, 2.5);
}

}  // namespace
}  // namespace divker
