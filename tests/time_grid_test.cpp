#include "divker/time_grid.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "support/errors.hpp"

namespace divker {
namespace {

using test::expect_error;
using testing::ElementsAre;

const TimeGrid grid{1.0, 0.25, 3.0};
constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<std::size_t> steps_of(const std::vector<double>& snapshots) {
  return grid.snapshot_steps(snapshots);
}

TEST(TimeGridTest, TimesAndStepsAreInverse) {
  for (std::size_t n = 0; n <= grid.steps(); ++n) EXPECT_EQ(grid.nearest_step(grid.time(n)), n);
  EXPECT_DOUBLE_EQ(grid.position(1.6), 2.4);
  EXPECT_THAT(grid.times(std::vector<std::size_t>{0, 3, 8}), ElementsAre(1.0, 1.75, 3.0));
}

TEST(TimeGridTest, TheNearestStepIsOnTheGrid) {
  EXPECT_EQ(grid.nearest_step(1.6), 2U);
  EXPECT_EQ(grid.nearest_step(1.63), 3U);
  EXPECT_EQ(grid.nearest_step(-7.0), 0U);
  EXPECT_EQ(grid.nearest_step(1e9), 8U);
}

TEST(TimeGridTest, ASpanOfTimeTakesAtLeastOneStep) {
  EXPECT_EQ(grid.steps_in(0.0), 1U);
  EXPECT_EQ(grid.steps_in(0.6), 2U);
  EXPECT_EQ(grid.steps_in(100.0), 400U);
}

TEST(TimeGridTest, SnapshotsLieOnTheGrid) {
  EXPECT_THAT(steps_of({}), ElementsAre(8));
  EXPECT_THAT(steps_of({1.0, 1.5 + 1e-9, 3.0}), ElementsAre(0, 2, 8));
  EXPECT_THAT(grid.snapshot_times(std::vector<double>{1.5 + 1e-9}), ElementsAre(1.5));
  EXPECT_THAT(grid.snapshot_times({}), ElementsAre(3.0));
}

TEST(TimeGridTest, OtherSnapshotsAreRefused) {
  expect_error(ErrorKind::usage,
               "A snapshot time is inf, but must be a time of the grid 1 : 0.25 : 3.",
               [] { (void)steps_of({infinity}); });
  expect_error(ErrorKind::usage,
               "The snapshot time 1.6 is not on the time grid 1 : 0.25 : 3; the nearest time on it "
               "is 1.5.",
               [] { (void)steps_of({1.6}); });
  expect_error(ErrorKind::usage,
               "The snapshot time 4 is not on the time grid 1 : 0.25 : 3; the nearest time on it "
               "is 3.",
               [] { (void)steps_of({4.0}); });
  expect_error(ErrorKind::usage, "Snapshot times must ascend, but 2 follows 2.", [] {
    (void)steps_of({2.0, 2.0});
  });
}

}  // namespace
}  // namespace divker
