#include "rows.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "divker/step.hpp"

namespace divker::app {
namespace {

// The rows of a table from the groups of a spool, one snapshot after the other.
class SpoolReader {
 public:
  SpoolReader(const Spool& spool, std::uint64_t size, std::size_t states,
              const std::vector<double>& times)
      : spool_(spool), size_(size), states_(states), times_(times) {}

  // Some groups at a time, about half a megabyte. Empty at the end.
  std::span<const double> next() {
    constexpr std::size_t enough = std::size_t{1} << 16U;
    rows_.clear();
    while (rows_.size() < enough && snapshot_ < times_.size()) {
      if (at_ >= size_) {
        at_ = 0;
        ++snapshot_;
        continue;
      }
      append_group();
    }
    return rows_;
  }

 private:
  void append_group() {
    double count = 0.0;
    spool_.read(at_, {&count, 1});
    const auto paths = static_cast<std::size_t>(count);
    group_.resize(paths * states_);
    spool_.read(at_ + 1 + snapshot_ * group_.size(), group_);
    at_ += 1 + times_.size() * group_.size();
    if (times_.size() == 1) {
      rows_.insert(rows_.end(), group_.begin(), group_.end());
      return;
    }
    for (std::size_t r = 0; r < paths; ++r) {
      const auto row = std::span(group_).subspan(r * states_, states_);
      rows_.push_back(times_[snapshot_]);
      rows_.insert(rows_.end(), row.begin(), row.end());
    }
  }

  const Spool& spool_;
  std::uint64_t size_;
  std::size_t states_;
  const std::vector<double>& times_;
  std::size_t snapshot_ = 0;
  std::uint64_t at_ = 0;
  std::vector<double> group_;
  std::vector<double> rows_;
};

}  // namespace

struct SpooledStates::Group : Collector::Part {
  void transfer(Archive& archive) override { archive(x); }
  std::vector<Matrix> x;
};

SpooledStates::SpooledStates(std::vector<std::string> states, Rows rows, std::vector<double> times,
                             std::optional<Spool> spool)
    : states_(std::move(states)),
      rows_(std::move(rows)),
      times_(std::move(times)),
      spool_(std::move(spool)) {}

std::unique_ptr<Collector::Part> SpooledStates::reduce(PathGroup group) const {
  auto part = std::make_unique<Group>();
  for (std::size_t k = 0; k < group.snapshots.size(); ++k) part->x.push_back(rows_(group, k));
  return part;
}

void SpooledStates::absorb(std::unique_ptr<Part> part) {
  const std::vector<Matrix>& x = static_cast<const Group&>(*part).x;
  paths_ += x.front().rows;
  if (!spool_) return;
  if (size_ == 0) spool_->cut(0);
  const auto paths = static_cast<double>(x.front().rows);
  spool_->append({&paths, 1});
  for (const Matrix& snapshot : x) spool_->append(snapshot.data);
  size_ = spool_->size();
}

std::unique_ptr<Collector::Part> SpooledStates::empty_part() const {
  return std::make_unique<Group>();
}

void SpooledStates::transfer(Archive& archive) {
  if (spool_ && !archive.reading()) spool_->sync();
  archive(size_, paths_);
  if (spool_ && archive.reading()) spool_->cut(size_);
}

TableStream SpooledStates::table() const {
  TableStream table;
  if (times_.size() > 1) table.columns.emplace_back("t");
  table.columns.insert(table.columns.end(), states_.begin(), states_.end());
  table.rows = paths_ * times_.size();
  table.cols = table.columns.size();
  auto reader = std::make_shared<SpoolReader>(*spool_, size_, states_.size(), times_);
  table.next = [reader] { return reader->next(); };
  return table;
}

}  // namespace divker::app
