// Runs of paths that are timed, in turn with other work: what benchmarks are made of.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "divker/damping.hpp"
#include "divker/ensemble.hpp"

namespace divker::timing {

inline double seconds_of(const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Two pieces of work in turn, A B A B ..., after one warm-up of each: their median times and the
// median of the ratio B/A pair by pair, which a drifting machine leaves alone.
struct Paired {
  double first = 0.0;
  double second = 0.0;
  double ratio = 0.0;
};

inline Paired paired(std::size_t repeats, const std::function<void()>& a,
                     const std::function<void()>& b) {
  a();
  b();
  std::vector<double> first, second, ratio;
  for (std::size_t k = 0; k < repeats; ++k) {
    first.push_back(seconds_of(a));
    second.push_back(seconds_of(b));
    ratio.push_back(second.back() / first.back());
  }
  return {median(first), median(second), median(ratio)};
}

class Discard : public Collector {
 public:
  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup) const override { return empty_part(); }
  void absorb(std::unique_ptr<Part>) override {}
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Nothing>();
  }
  void transfer(Archive&) override {}

 private:
  struct Nothing : Part {
    void transfer(Archive&) override {}
  };
};

// State, score and all responses of a model under a constant damping; nothing is kept of the paths.
class ResponseRun {
 public:
  explicit ResponseRun(const Model& model)
      : ensemble_(model, constant(), Asked::responses_to(model.free_parameters())) {}

  void run(std::size_t paths, unsigned threads) const {
    Sampling sampling;
    sampling.paths = paths;
    sampling.failed_share = 1.0;
    Session session;
    session.threads = threads;
    Discard discard;
    (void)ensemble_.run(sampling, discard, session);
  }
  [[nodiscard]] double path_steps(std::size_t paths) const {
    return static_cast<double>(paths * ensemble_.model().time().steps());
  }
  [[nodiscard]] std::size_t operations() const { return ensemble_.plan().operations(); }
  [[nodiscard]] double compile_seconds() const { return ensemble_.compile_seconds(); }

 private:
  static Method constant() {
    Method method;
    method.damping = constant_damping(5.0);
    return method;
  }
  Ensemble ensemble_;
};

}  // namespace divker::timing
