// How groups are dealt to ranks, and what the ranks tell each other: several ranks in one process,
// in turn.
#include "march/rounds.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>

#include "divker/error.hpp"

namespace divker::test {
namespace {

using march::Rounds;

// A rank whose exchanges give what the test has collected.
class PretendedRank : public Ranks {
 public:
  PretendedRank(std::size_t rank, std::vector<unsigned> cores, std::vector<std::string> letters)
      : rank_(rank), cores_(std::move(cores)), letters_(std::move(letters)) {}
  [[nodiscard]] std::size_t rank() const override { return rank_; }
  [[nodiscard]] std::size_t size() const override { return cores_.size(); }
  [[nodiscard]] const std::vector<unsigned>& cores() const override { return cores_; }
  [[nodiscard]] std::vector<std::string> gather(const std::string&) override { return letters_; }
  [[nodiscard]] std::optional<std::vector<std::string>> part(
      const std::string&, std::optional<std::chrono::milliseconds>) override {
    return letters_;
  }
  [[noreturn]] void abort(int) override { throw std::logic_error("not here"); }

 private:
  std::size_t rank_;
  std::vector<unsigned> cores_;
  std::vector<std::string> letters_;
};

// All ranks of a run, one round at a time.
class Play {
 public:
  Play(std::size_t groups, unsigned threads, std::vector<unsigned> cores)
      : cores_(std::move(cores)) {
    for (std::size_t r = 0; r < cores_.size(); ++r) {
      become(r);
      rounds_.emplace_back(0, groups, threads);
    }
  }
  ~Play() { use_ranks(nullptr); }
  Play(const Play&) = delete;
  Play& operator=(const Play&) = delete;

  Rounds& rank(std::size_t r) { return rounds_[r]; }

  // Every rank marches its share, which is to write down the numbers of its groups. Returns what
  // each rank reads, which must be the same.
  std::vector<std::size_t> round(std::size_t bytes, std::size_t stopped = none,
                                 std::size_t failing = none) {
    std::vector<Archive> letters;
    std::vector<std::string> texts;
    for (std::size_t r = 0; r < cores_.size(); ++r) {
      become(r);
      std::exception_ptr failure;
      if (r == failing) failure = std::make_exception_ptr(Error(ErrorKind::model, "Rank fails."));
      Archive letter = rounds_[r].letter(r == stopped, failure);
      std::string padding(r == 0 ? bytes : 0, ' ');
      for (std::size_t g = rounds_[r].first(); g < rounds_[r].last(); ++g) letter(g, padding);
      texts.push_back(letter.bytes());
      letters.push_back(std::move(letter));
    }
    std::vector<std::size_t> common;
    for (std::size_t r = 0; r < cores_.size(); ++r) {
      become(r, texts);
      std::vector<std::size_t> read;
      if (failing != none) {
        EXPECT_THROW((void)rounds_[r].exchange(letters[r]), Error);
        continue;
      }
      for (Archive& from : rounds_[r].exchange(letters[r])) {
        std::string padding;
        while (!from.at_end()) from(read.emplace_back(), padding);
      }
      if (r == 0) common = read;
      EXPECT_EQ(read, common);
    }
    return common;
  }

  static constexpr std::size_t none = -1;

 private:
  void become(std::size_t r, std::vector<std::string> letters = {}) const {
    use_ranks(std::make_unique<PretendedRank>(r, cores_, std::move(letters)));
  }

  std::vector<unsigned> cores_;
  std::vector<Rounds> rounds_;
};

TEST(Rounds, EveryGroupOnceAndInOrder) {
  for (const std::size_t groups : {0, 1, 2, 5, 100, 100'000}) {
    Play play(groups, 0, {1, 4, 2});
    std::vector<std::size_t> all;
    while (!play.rank(0).over()) {
      const std::vector<std::size_t> read = play.round(0);
      all.insert(all.end(), read.begin(), read.end());
    }
    EXPECT_TRUE(play.rank(1).over() && play.rank(2).over());
    std::vector<std::size_t> expected(groups);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(all, expected);
  }
}

TEST(Rounds, TheFirstRoundIsAGroupForEachCore) {
  Play play(1000, 0, {1, 4, 2});
  EXPECT_EQ(play.rank(0).last(), 1U);
  EXPECT_EQ(play.rank(1).first(), 1U);
  EXPECT_EQ(play.rank(1).last(), 5U);
  EXPECT_EQ(play.rank(2).last(), 7U);
  Play given(1000, 3, {1, 4, 2});
  EXPECT_EQ(given.rank(2).last(), 9U);
}

TEST(Rounds, LargeResultsMakeSmallRounds) {
  // Groups of one rank have 4 MiB, and its letters are not to be larger than 8 MiB.
  Play play(100'000, 1, {1, 1});
  (void)play.round(std::size_t{1} << 22U);
  (void)play.round(std::size_t{1} << 22U);
  const std::size_t share = play.rank(0).last() - play.rank(0).first();
  EXPECT_GE(share, 1U);
  EXPECT_LE(share, 2U);
}

TEST(Rounds, OneRankStopsAll) {
  Play play(1000, 1, {1, 1, 1});
  EXPECT_EQ(play.round(0, 2).size(), 3U);  // what was marched still counts
  for (std::size_t r = 0; r < 3; ++r) EXPECT_TRUE(play.rank(r).over());
}

TEST(Rounds, OneRankFailsAll) {
  Play play(1000, 1, {1, 1, 1});
  (void)play.round(0, Play::none, 1);
}

}  // namespace
}  // namespace divker::test
