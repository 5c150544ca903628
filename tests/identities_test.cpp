// The identities of every shipped model with few paths; `make identities` takes a million. Some
// 1,900 comparisons at z = 5: a false alarm with probability 0.1%, once and for all.
#include "support/identities.hpp"

#include <gtest/gtest.h>

#include "divker/language.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

TEST(Identities, HoldForEveryShippedModel) {
  test::IdentityOptions options;
  options.paths = 4'000;
  options.order = InverseOrder::second;
  const auto shipped = shipped_models();
  ASSERT_GE(shipped.size(), 20U);
  std::size_t comparisons = 0;
  for (const ShippedModel& model : shipped) {
    const auto report = test::check_identities(load_model(model.name), options);
    EXPECT_EQ(report.failed, 0U) << model.name;
    comparisons += report.checks.size();
    for (const auto& check : report.checks) {
      EXPECT_LE(check.z(), test::z_limit)
          << model.name << ": " << check.what << ", " << check.difference.value << " +- "
          << check.difference.standard_error;
    }
  }
  EXPECT_GE(comparisons, 1'500U);
}

// The instrument itself: against another model's derivative the second identity must not hold.
TEST(Identities, AreViolatedByAWrongStep) {
  test::IdentityOptions options;
  options.paths = 4'000;
  const Model coarse = load_model("ou").with_time({0.0, 0.5, 1.0});
  // At dt = 0.5 the first-order step is far from the Euler chain that it runs along.
  const auto report = test::check_identities(coarse, options);
  EXPECT_GT(report.worst().z(), test::z_limit);
}

}  // namespace
}  // namespace divker
