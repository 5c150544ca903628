#include "answer/stationary_samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "divker/error.hpp"

namespace divker {
namespace {

void append(const Matrix& rows, Matrix& target) {
  target.cols = rows.cols;
  target.rows += rows.rows;
  target.data.insert(target.data.end(), rows.data.begin(), rows.data.end());
}

void copy_columns(std::span<const double> from, const std::vector<std::size_t>& columns,
                  std::span<double> to) {
  for (std::size_t c = 0; c < columns.size(); ++c) to[c] = from[columns[c]];
}

}  // namespace

Matrix StationaryCollector::movement(const PathGroup& group) const {
  const std::size_t half = plan_.recorded() / 2;
  Matrix result(group.snapshots.front().x().rows, functions_.size());
  for (std::size_t k = 0; k < 2 * half; ++k) {
    const Matrix values = functions_(group.snapshots[group.snapshots.size() - 1 - k].x());
    const double weight = (k < half ? 1.0 : -1.0) / static_cast<double>(half);
    for (std::size_t i = 0; i < values.data.size(); ++i) result.data[i] += weight * values.data[i];
  }
  return result;
}

void StationaryCollector::append_movement(const Matrix& rows) { append(rows, movement_); }

void StationaryCollector::require_still(const Model& model) const {
  const Movement largest = largest_movement(movement_);
  if (largest.z <= movement_limit) return;
  const Stationary run = plan_.describe(model.time());
  throw Error(
      ErrorKind::numerical,
      fmt::format("Model {} has not settled: {} still moves between t = {:.6g} and t = {:.6g} "
                  "({:.1f} standard errors). Either it has no stationary density, or the spin-up "
                  "of {:.6g} is too short.",
                  model.name(), BoundedFunctions::name(model, largest.column),
                  run.grid.start + run.spinup, run.grid.end, largest.z, run.spinup));
}

void StationaryCollector::fill_pieces(const PathGroup& group, std::size_t recorded, std::size_t row,
                                      std::span<double> out) const {
  const std::size_t windows = plan_.windows.size();
  const std::size_t parameters = out.size() / windows;
  for (std::size_t p = 0; p < parameters; ++p) {
    double later = group.snapshots[recorded].responses()(row, p);
    for (std::size_t w = 0; w < windows; ++w) {
      const std::size_t before = recorded - plan_.windows[w] / plan_.spacing;
      const double earlier = group.snapshots[before].responses()(row, p);
      out[p * windows + w] = later - earlier;
      later = earlier;
    }
  }
}

PooledSamples::PooledSamples(const StationaryPlan& plan, const BoundedFunctions& functions,
                             std::size_t stride, std::vector<std::size_t> states)
    : StationaryCollector(plan, functions), stride_(stride), states_(std::move(states)) {}

std::size_t PooledSamples::samples_of_each() const {
  return (plan().samples() + stride_ - 1) / stride_;
}

std::unique_ptr<Collector::Part> PooledSamples::reduce(PathGroup group) const {
  auto part = std::make_unique<Rows>();
  part->movement = movement(group);
  const Snapshot& first = group.snapshots.front();
  const std::size_t paths = first.x().rows;
  const bool is_score = plan().windows.empty();
  std::vector<std::size_t> states = states_;
  if (states.empty()) {
    states.resize(first.x().cols);
    std::iota(states.begin(), states.end(), std::size_t{0});
  }
  const std::size_t columns =
      is_score ? states.size() : first.responses().cols * plan().windows.size();
  part->x = Matrix(paths * samples_of_each(), states.size());
  part->y = Matrix(paths * samples_of_each(), columns);
  std::size_t at = 0;
  for (std::size_t r = 0; r < paths; ++r) {
    for (std::size_t k = plan().first_sample; k < plan().recorded(); k += stride_, ++at) {
      copy_columns(group.snapshots[k].x().row(r), states, part->x.row(at));
      if (is_score) {
        copy_columns(group.snapshots[k].nu().row(r), states, part->y.row(at));
      } else {
        fill_pieces(group, k, r, part->y.row(at));
      }
    }
  }
  return part;
}

void PooledSamples::absorb(std::unique_ptr<Part> part) {
  const auto& rows = static_cast<const Rows&>(*part);
  append(rows.x, x_);
  append(rows.y, y_);
  append_movement(rows.movement);
}

void PooledSamples::transfer(Archive& archive) {
  archive(x_, y_);
  transfer_movement(archive);
}

PathAverages::PathAverages(const StationaryPlan& plan, const BoundedFunctions& functions,
                           const Observable& observable, std::size_t parameters, double offset)
    : StationaryCollector(plan, functions),
      observable_(observable),
      parameters_(parameters),
      offset_(offset) {}

std::unique_ptr<Collector::Part> PathAverages::reduce(PathGroup group) const {
  auto part = std::make_unique<Rows>();
  part->movement = movement(group);
  const std::size_t paths = group.snapshots.front().x().rows;
  const std::size_t windows = plan().windows.size();
  part->averages = Matrix(paths, explicit_column(parameters_));
  const double weight = 1.0 / static_cast<double>(plan().samples());
  std::vector<double> pieces(parameters_ * windows);
  for (std::size_t k = plan().first_sample; paths > 0 && k < plan().recorded(); ++k) {
    const Observable::Values values = observable_(group.snapshots[k].x(), 0.0);
    for (std::size_t r = 0; r < paths; ++r) {
      const auto row = part->averages.row(r);
      const double phi = values.phi[r] - offset_;
      row[0] += weight * phi;
      fill_pieces(group, k, r, pieces);
      for (std::size_t p = 0; p < parameters_; ++p) {
        if (values.explicit_part.rows > 0) {
          row[explicit_column(p)] += weight * values.explicit_part(r, p);
        }
        for (std::size_t w = 0; w < windows; ++w) {
          const double piece = pieces[p * windows + w];
          row[piece_column(p, w)] += weight * piece;
          row[piece_column(p, w) + 1] += weight * phi * piece;
        }
      }
    }
  }
  return part;
}

void PathAverages::absorb(std::unique_ptr<Part> part) {
  const auto& rows = static_cast<const Rows&>(*part);
  append(rows.averages, averages_);
  append_movement(rows.movement);
}

void PathAverages::transfer(Archive& archive) {
  archive(averages_);
  transfer_movement(archive);
}

}  // namespace divker
