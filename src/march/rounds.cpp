#include "march/rounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>
#include <string>

#include "divker/error.hpp"

namespace divker::march {
namespace {

constexpr double seconds_of_a_round = 0.25;
// A round is at most so many times as large as the one before: large results are noticed in time.
constexpr std::size_t growth = 8;
// The letters of all ranks together, but for those with a single group. Larger ones leave the
// caches and are slower.
constexpr std::size_t bytes_of_a_round = std::size_t{1} << 24U;

struct Failure {
  ErrorKind kind = ErrorKind::numerical;
  std::string sentence;  // empty: none
  void transfer(Archive& archive) { archive(kind, sentence); }
};

Failure described(const std::exception_ptr& failure) {
  if (!failure) return {};
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  } catch (const std::bad_alloc&) {
    return {ErrorKind::numerical,
            fmt::format("rank {} is out of memory; fewer --paths or snapshots need less.",
                        ranks().rank())};
  } catch (const std::exception& error) {
    return {ErrorKind::numerical, error.what()};
  }
}

}  // namespace

Rounds::Rounds(std::size_t begin, std::size_t end, unsigned threads)
    : next_(begin), end_(end), threads_(threads_or_cores(threads)) {
  for (const unsigned cores : ranks().cores()) wanted_.push_back(threads != 0 ? threads : cores);
  deal();
}

// All ranks know what all want, and deal alike.
void Rounds::deal() {
  const std::size_t all = std::accumulate(wanted_.begin(), wanted_.end(), std::size_t{0});
  const std::size_t dealt = std::min(all, end_ - next_);
  const auto before = [&](std::size_t rank) {
    return std::accumulate(wanted_.begin(), wanted_.begin() + static_cast<std::ptrdiff_t>(rank),
                           std::size_t{0}) *
           dealt / all;
  };
  first_ = next_ + before(ranks().rank());
  last_ = next_ + before(ranks().rank() + 1);
  next_ += dealt;
  over_ = stopped_ || dealt == 0;
  began_ = Clock::now();
}

Archive Rounds::letter(bool stopped, const std::exception_ptr& failure) {
  seconds_ += std::chrono::duration<double>(Clock::now() - began_).count();
  marched_ += last_ - first_;
  std::size_t groups = last_ - first_;
  std::size_t wanted = threads_;
  if (marched_ > 0) {
    const double speed = static_cast<double>(marched_) / std::max(seconds_, 1e-9);
    const double turns = speed * seconds_of_a_round / static_cast<double>(threads_);
    const std::size_t most = std::max<std::size_t>(1, growth * groups / threads_);
    wanted *= static_cast<std::size_t>(std::clamp(turns, 1.0, static_cast<double>(most)));
  }
  if (bytes_ > 0) {
    const std::size_t room = bytes_of_a_round / ranks().size() / bytes_;
    wanted = std::clamp<std::size_t>(room, 1, wanted);
  }
  Failure mine = described(failure);
  Archive letter;
  letter(stopped, mine, wanted, groups);
  return letter;
}

std::vector<Archive> Rounds::exchange(const Archive& letter) {
  std::vector<Archive> letters;
  std::vector<Failure> failures(ranks().size());
  for (std::string& bytes : ranks().gather(letter.bytes())) {
    const std::size_t rank = letters.size();
    const std::size_t size = bytes.size();
    Archive& from = letters.emplace_back(std::move(bytes));
    bool stopped = false;
    std::size_t groups = 0;
    from(stopped, failures[rank], wanted_[rank], groups);
    stopped_ = stopped_ || stopped;
    if (groups > 0) bytes_ = std::max(bytes_, size / groups);
  }
  for (const Failure& failure : failures) {
    if (!failure.sentence.empty()) throw Error(failure.kind, failure.sentence);
  }
  deal();
  return letters;
}

}  // namespace divker::march
