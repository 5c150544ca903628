#include "numbers/monomials.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace divker::numbers {
namespace {

using testing::ElementsAre;

TEST(Monomials, OfADegreeAreInLexicographicOrder) {
  EXPECT_THAT(monomials_of_degree(3, 2),
              ElementsAre(Monomial{0, 0}, Monomial{0, 1}, Monomial{0, 2}, Monomial{1, 1},
                          Monomial{1, 2}, Monomial{2, 2}));
  EXPECT_THAT(monomials_of_degree(3, 0), ElementsAre(Monomial{}));
  EXPECT_TRUE(monomials_of_degree(0, 2).empty());
}

TEST(Monomials, OfFewerFactorsComeFirst) {
  EXPECT_THAT(monomials_up_to(2, 2), ElementsAre(Monomial{}, Monomial{0}, Monomial{1},
                                                 Monomial{0, 0}, Monomial{0, 1}, Monomial{1, 1}));
}

TEST(Monomials, AreAsManyAsTheyAreCounted) {
  for (const std::size_t variables : {0, 1, 2, 5, 9}) {
    for (const std::size_t degree : {0, 1, 2, 3, 4}) {
      EXPECT_EQ(monomials_up_to(variables, degree).size(), count_monomials(variables, degree))
          << variables << " variables, degree " << degree;
    }
  }
  EXPECT_EQ(count_monomials(10'000, 8), 1'000'000'000'000'000);
}

}  // namespace
}  // namespace divker::numbers
