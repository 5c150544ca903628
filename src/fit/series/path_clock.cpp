#include "fit/series/path_clock.hpp"

#include <utility>

namespace divker::fit {

PathClock::PathClock(const Model& model, std::string prefix)
    : time_array_(prefix + "t"), step_array_(std::move(prefix) + "dt"), inputs_(model.inputs()) {}

void PathClock::set(PathBlock& block, std::size_t path, double t, double dt) const {
  step_sizes(block)[path] = dt;
  set_time(block, block.array(time_array_, width()), path, t, dt);
}

void PathClock::advance(PathBlock& block) const {
  double* times = block.array(time_array_, width());
  const double* dt = step_sizes(block);
  for (std::size_t p = 0; p < block.paths(); ++p) {
    set_time(block, times, p, times[block.place(p, 0, width())] + dt[p], dt[p]);
  }
}

void PathClock::set_time(PathBlock& block, double* times, std::size_t path, double t,
                         double dt) const {
  const std::size_t count = inputs_.size();
  times[block.place(path, 0, width())] = t;
  for (std::size_t k = 0; k < count; ++k) {
    times[block.place(path, 1 + k, width())] = inputs_[k].at(t);
    times[block.place(path, 1 + count + k, width())] = inputs_[k].at(t + dt);
  }
}

}  // namespace divker::fit
