#include "divker/ensemble.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "divker/error.hpp"
#include "divker/kernel.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;

// Two states, three Brownian motions, varying noise; a number of steps that no batch divides.
Model twisted() {
  ModelBuilder b("twisted");
  const Expression a = b.parameter("a", 0.9), s = b.parameter("s", 0.5);
  const Expression x = b.state("x"), y = b.state("y");
  b.drift(x, -a * x + sin(y));
  b.drift(y, x - y * y * y);
  b.noise(x, "U", s * (1.0 + 0.3 * sin(y)));
  b.noise(x, "V", 0.2 * x);
  b.noise(y, "V", s);
  b.noise(y, "W", b.graph().constant(0.4));
  b.initial_normal(x, a, b.graph().constant(0.7));
  b.initial_normal(y, 0.0, 0.8);
  b.time(0.0, 0.01, 0.57);
  return b.build();
}

// dx = x^3 dt + 0.1 dW: paths that start far out reach infinity.
Model explosive() {
  ModelBuilder b("explosive");
  const Expression x = b.state("x");
  b.drift(x, x * x * x);
  b.noise(x, "W", b.graph().constant(0.1));
  b.initial_normal(x, 0.0, 0.4);
  b.time(0.0, 0.01, 2.0);
  return b.build();
}

Model from_samples() {
  ModelBuilder b("sampled");
  const Expression x = b.state("x"), y = b.state("y");
  b.drift(x, -x);
  b.drift(y, -y);
  b.noise(x, "U", b.graph().constant(1.0));
  b.noise(y, "V", b.graph().constant(1.0));
  b.initial_samples(x, "xy.npy");
  b.initial_samples(y, "xy.npy");
  b.time(0.0, 0.1, 0.2);
  return b.build();
}

Asked all_responses(const Model& model) { return Asked::responses_to(model.free_parameters()); }

Ensemble ensemble_of(const Model& model) { return Ensemble(model, {}, all_responses(model)); }

Sampling sampling_of(std::size_t paths) {
  Sampling sampling;
  sampling.paths = paths;
  sampling.seed = 20;
  return sampling;
}

Session session_of(unsigned threads, std::size_t block = 0) {
  Session session;
  session.threads = threads;
  session.block = block;
  return session;
}

void expect_same_bits(const Snapshot& a, const Snapshot& b) {
  EXPECT_EQ(a.time, b.time);
  EXPECT_TRUE(a.tables() == b.tables());
}

template <class Action>
void expect_error(ErrorKind kind, const std::string& part, Action action) {
  try {
    action();
    FAIL() << "no error; expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

// --- to the bit -------------------------------------------------------------------------------

TEST(Ensemble, ThreadsAndBlocksChangeNothing) {
  const Ensemble ensemble = ensemble_of(twisted());
  const Sampling sampling = sampling_of(1003);
  const Paths reference = ensemble.run(sampling, session_of(1, 8));
  ASSERT_EQ(reference.snapshots.front().x().rows, 1003U);
  ASSERT_EQ(reference.snapshots.front().nu().rows, 1003U);
  ASSERT_EQ(reference.snapshots.front().responses().rows, 1003U);
  for (const unsigned threads : {1U, 2U, 3U}) {
    for (const std::size_t block : {0U, 8U, 16U, 32U, 64U, 128U, 256U}) {
      SCOPED_TRACE(std::to_string(threads) + " threads, block " + std::to_string(block));
      const Paths found = ensemble.run(sampling, session_of(threads, block));
      expect_same_bits(found.snapshots.front(), reference.snapshots.front());
      EXPECT_EQ(found.numbers, reference.numbers);
    }
  }
}

TEST(Ensemble, AnyPathCanBeRunAlone) {
  const Ensemble ensemble = ensemble_of(twisted());
  const Snapshot all = ensemble.run(sampling_of(600)).snapshots.front();
  for (const std::uint64_t path : {0U, 1U, 7U, 255U, 256U, 577U, 599U}) {
    Sampling sampling = sampling_of(1);
    sampling.first_path = path;
    const Paths alone = ensemble.run(sampling);
    EXPECT_EQ(alone.numbers, std::vector<std::uint64_t>{path});
    const Snapshot& one = alone.snapshots.front();
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(one.x()(0, i), all.x()(path, i)) << "path " << path;
      EXPECT_EQ(one.nu()(0, i), all.nu()(path, i)) << "path " << path;
      EXPECT_EQ(one.responses()(0, i), all.responses()(path, i)) << "path " << path;
    }
  }
}

TEST(Ensemble, SeedsGiveOtherPaths) {
  const Ensemble ensemble = ensemble_of(twisted());
  Sampling sampling = sampling_of(10);
  const Snapshot first = ensemble.run(sampling).snapshots.front();
  sampling.seed = 21;
  const Snapshot second = ensemble.run(sampling).snapshots.front();
  for (std::size_t r = 0; r < 10; ++r) EXPECT_NE(first.x()(r, 0), second.x()(r, 0));
}

TEST(Ensemble, SnapshotsDoNotDisturbThePaths) {
  const Ensemble ensemble = ensemble_of(twisted());
  Sampling sampling = sampling_of(300);
  const Paths plain = ensemble.run(sampling);
  sampling.snapshots = {0.0, 0.03, 0.31, 0.57};
  const Paths often = ensemble.run(sampling);
  ASSERT_EQ(often.snapshots.size(), 4U);
  EXPECT_EQ(often.snapshots[0].time, 0.0);
  EXPECT_NEAR(often.snapshots[2].time, 0.31, 1e-15);
  expect_same_bits(often.snapshots.back(), plain.snapshots.front());
  sampling.snapshots = {0.31};
  const Paths shorter = ensemble.run(sampling);
  expect_same_bits(shorter.snapshots.front(), often.snapshots[2]);
  EXPECT_EQ(shorter.summary.steps, 31U);
  EXPECT_EQ(often.summary.steps, 57U);
}

TEST(Ensemble, ScoreAndResponsesDoNotDisturbThePaths) {
  const Sampling sampling = sampling_of(300);
  const Snapshot plain = Ensemble(twisted(), {}, Asked::states()).run(sampling).snapshots.front();
  const Snapshot full = ensemble_of(twisted()).run(sampling).snapshots.front();
  EXPECT_EQ(plain.nu().rows * plain.nu().cols, 0U);
  EXPECT_EQ(plain.responses().cols, 0U);
  ASSERT_EQ(plain.x().data.size(), full.x().data.size());
  for (std::size_t i = 0; i < full.x().data.size(); ++i) {
    EXPECT_NEAR(plain.x().data[i], full.x().data[i], 1e-12);
  }
}

// Absorbs the numbers of the groups and a sum that depends on their order.
class OrderCollector : public Collector {
 public:
  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Sum>();
    part->index = group.index;
    for (const double value : group.snapshots.front().x().data) part->sum += value;
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    const auto& sum = static_cast<const Sum&>(*part);
    indices.push_back(sum.index);
    total = 0.9 * total + sum.sum;
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Sum>();
  }
  void transfer(Archive& archive) override { archive(indices, total); }
  std::vector<std::size_t> indices;
  double total = 0.0;

 private:
  struct Sum : Part {
    void transfer(Archive& archive) override { archive(index, sum); }
    std::size_t index = 0;
    double sum = 0.0;
  };
};

// A sum of increments does not care how it is split: dx = dt + 0.5 dW ends at the same points.
TEST(Ensemble, CoarseStepsFollowTheFineBrownianPath) {
  const auto end_points = [](double dt, std::size_t increments) {
    ModelBuilder b("brownian");
    const Expression x = b.state("x"), y = b.state("y"), z = b.state("z");
    b.drift(x, b.graph().constant(1.0));
    b.drift(y, b.graph().constant(0.0));
    b.drift(z, b.graph().constant(0.0));
    b.noise(x, "U", b.graph().constant(0.5));
    b.noise(y, "V", b.graph().constant(1.0));
    b.noise(z, "W", b.graph().constant(2.0));
    for (const Expression& state : {x, y, z}) b.initial_normal(state, 0.0, 1.0);
    b.time(0.0, dt, 0.84);
    Sampling sampling;
    sampling.paths = 300;
    sampling.increments_per_step = increments;
    return Ensemble(b.build(), {}, Asked::states()).run(sampling).snapshots.front().x();
  };
  const Matrix fine = end_points(0.01, 1);
  for (const std::size_t increments : {2UL, 3UL, 4UL}) {
    const Matrix coarse = end_points(0.01 * static_cast<double>(increments), increments);
    ASSERT_EQ(coarse.rows, fine.rows);
    for (std::size_t i = 0; i < fine.data.size(); ++i) {
      ASSERT_NEAR(coarse.data[i], fine.data[i], 1e-12) << increments << " increments";
    }
  }
}

TEST(Ensemble, GroupsAreAbsorbedInOrder) {
  const Ensemble ensemble = ensemble_of(twisted());
  const Sampling sampling = sampling_of(256 * 20 + 5);
  OrderCollector alone;
  const RunSummary summary = ensemble.run(sampling, alone, session_of(1));
  EXPECT_EQ(summary.paths, sampling.paths);
  EXPECT_EQ(summary.requested, sampling.paths);
  for (const unsigned threads : {2U, 3U}) {
    OrderCollector together;
    (void)ensemble.run(sampling, together, session_of(threads));
    ASSERT_EQ(together.indices.size(), 21U);
    for (std::size_t g = 0; g < together.indices.size(); ++g) EXPECT_EQ(together.indices[g], g);
    EXPECT_EQ(together.total, alone.total);
  }
}

TEST(Ensemble, CollectorsMayThrow) {
  class Throwing : public OrderCollector {
    void absorb(std::unique_ptr<Part>) override {
      throw Error(ErrorKind::usage, "The disk is full.");
    }
  };
  const Ensemble ensemble(twisted(), {}, {});
  Throwing collector;
  expect_error(ErrorKind::usage, "The disk is full.",
               [&] { (void)ensemble.run(sampling_of(2000), collector, session_of(3)); });
}

// --- paths that fail --------------------------------------------------------------------------

Sampling all_may_fail(std::size_t paths) {
  Sampling sampling = sampling_of(paths);
  sampling.failed_share = 1.0;
  return sampling;
}

TEST(FailedPaths, AreCountedLocatedAndLeftOut) {
  const Ensemble ensemble(explosive(), {}, {});
  const Paths found = ensemble.run(all_may_fail(2000));
  const RunSummary& summary = found.summary;
  EXPECT_GT(summary.failed, 100U);
  EXPECT_EQ(summary.paths + summary.failed, 2000U);
  const Snapshot& sound = found.snapshots.front();
  EXPECT_EQ(sound.x().rows, summary.paths);
  EXPECT_EQ(sound.nu().rows, summary.paths);
  EXPECT_EQ(found.numbers.size(), summary.paths);
  EXPECT_TRUE(std::is_sorted(found.numbers.begin(), found.numbers.end()));
  for (const double value : sound.x().data) ASSERT_TRUE(std::isfinite(value));
  for (const double value : sound.nu().data) ASSERT_TRUE(std::isfinite(value));
  ASSERT_EQ(summary.first_failures.size(), 3U);
  for (const FailedPath& failure : summary.first_failures) {
    // Alone, the path is sound until just before the time named, and fails then.
    EXPECT_FALSE(std::binary_search(found.numbers.begin(), found.numbers.end(), failure.path));
    Sampling alone = all_may_fail(1);
    alone.first_path = failure.path;
    alone.snapshots = {failure.time - 0.01};
    EXPECT_EQ(ensemble.run(alone).summary.failed, 0U);
    alone.snapshots = {failure.time};
    const RunSummary at_last = ensemble.run(alone).summary;
    EXPECT_EQ(at_last.failed, 1U);
    EXPECT_EQ(at_last.first_failures.front().path, failure.path);
    EXPECT_TRUE(failure.what == "state x" || failure.what == "covector of x") << failure.what;
  }
  EXPECT_LT(summary.first_failures[0].path, summary.first_failures[1].path);
}

TEST(FailedPaths, DoNotDependOnThreads) {
  const Ensemble ensemble(explosive(), {}, {});
  const Paths one = ensemble.run(all_may_fail(2000), session_of(1));
  const Paths three = ensemble.run(all_may_fail(2000), session_of(3));
  EXPECT_EQ(one.summary.failed, three.summary.failed);
  EXPECT_EQ(one.summary.first_failures[2].path, three.summary.first_failures[2].path);
  expect_same_bits(one.snapshots.front(), three.snapshots.front());
}

TEST(FailedPaths, TooManyAreAnError) {
  const Ensemble ensemble(explosive(), {}, {});
  Sampling sampling = all_may_fail(2000);
  const RunSummary summary = ensemble.run(sampling).summary;
  const double share = static_cast<double>(summary.failed) / 2000.0;
  sampling.failed_share = share;
  EXPECT_NO_THROW((void)ensemble.run(sampling));
  sampling.failed_share = 0.99 * share;
  const FailedPath& first = summary.first_failures.front();
  expect_error(
      ErrorKind::numerical,
      std::to_string(summary.failed) + " of 2000 paths failed, more than the allowed share",
      [&] { (void)ensemble.run(sampling); });
  expect_error(ErrorKind::numerical,
               "Path " + std::to_string(first.path) + " was the first: its " + first.what +
                   " was not finite at t = ",
               [&] { (void)ensemble.run(sampling); });
}

// --- stopping, progress, refusals -------------------------------------------------------------

TEST(Ensemble, StopsEarlyAndKeepsWhatIsFinished) {
  const Ensemble ensemble = ensemble_of(twisted());
  const Sampling sampling = sampling_of(256 * 40);
  const Snapshot all = ensemble.run(sampling).snapshots.front();
  std::atomic<bool> stop = false;
  Session session = session_of(2);
  session.stop = &stop;
  session.progress = [&stop](std::size_t done, std::size_t) {
    if (done >= 1024) stop = true;
  };
  const Paths some = ensemble.run(sampling, session);
  EXPECT_TRUE(some.summary.interrupted);
  EXPECT_EQ(some.summary.requested, sampling.paths);
  EXPECT_GE(some.summary.paths, 1024U);
  EXPECT_LT(some.summary.paths, sampling.paths);
  EXPECT_EQ(some.summary.paths % 256, 0U);
  const Matrix& x = some.snapshots.front().x();
  EXPECT_EQ(x.rows, some.summary.paths);
  ASSERT_EQ(some.numbers.size(), some.summary.paths);
  for (std::size_t r = 0; r < 1024; ++r) EXPECT_EQ(x(r, 0), all.x()(r, 0));
  // Groups that another thread had finished out of order are there too.
  for (std::size_t r = 0; r < x.rows; ++r) EXPECT_EQ(x(r, 0), all.x()(some.numbers[r], 0));
  stop = true;
  session.progress = nullptr;
  const Paths none = ensemble.run(sampling, session);
  EXPECT_EQ(none.summary.paths, 0U);
  EXPECT_TRUE(none.summary.interrupted);
}

TEST(Ensemble, TellsItsProgress) {
  const Ensemble ensemble(twisted(), {}, {});
  const Sampling sampling = sampling_of(256 * 6 + 10);
  std::vector<std::size_t> seen;
  Session session = session_of(2);
  session.progress = [&](std::size_t done, std::size_t all) {
    EXPECT_EQ(all, sampling.paths);
    seen.push_back(done);
  };
  const RunSummary summary = ensemble.run(sampling, session).summary;
  EXPECT_FALSE(summary.interrupted);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), sampling.paths);
}

TEST(Ensemble, RefusesStepsWithoutIncrements) {
  Sampling sampling;
  sampling.increments_per_step = 0;
  EXPECT_THAT([&] { (void)Ensemble(twisted(), {}, {}).run(sampling); },
              ::testing::ThrowsMessage<Error>(
                  HasSubstr("The number of increments per step is 0: it must be at least 1.")));
}

TEST(Ensemble, RefusesWhatItCannotRun) {
  const Ensemble ensemble(twisted(), {}, {});
  const auto refuses = [&](const std::string& part, const std::function<void(Sampling&)>& change) {
    Sampling sampling = sampling_of(10);
    change(sampling);
    expect_error(ErrorKind::usage, part, [&] { (void)ensemble.run(sampling); });
  };
  refuses("The number of paths is 0: it must be at least 1.", [](Sampling& s) { s.paths = 0; });
  refuses(
      "The snapshot time 0.234 is not on the time grid 0 : 0.01 : 0.57; the nearest time on it "
      "is 0.23.",
      [](Sampling& s) { s.snapshots = {0.234}; });
  refuses("The snapshot time 3 is not on the time grid", [](Sampling& s) { s.snapshots = {3.0}; });
  refuses("Snapshot times must ascend, but 0.2 follows 0.3.", [](Sampling& s) {
    s.snapshots = {0.3, 0.2};
  });
}

// --- damping ----------------------------------------------------------------------------------

TEST(Ensemble, TakesOtherNumbersOfItsDamping) {
  Method method;
  method.damping = constant_damping(3.0);
  Ensemble ensemble(twisted(), method, all_responses(twisted()));
  const Snapshot at_three = ensemble.run(sampling_of(100)).snapshots.front();
  const std::size_t compiled = Kernel::compilations();
  ensemble.set_damping(constant_damping(1.0));
  const Snapshot at_one = ensemble.run(sampling_of(100)).snapshots.front();
  EXPECT_EQ(Kernel::compilations(), compiled);
  EXPECT_TRUE(at_one.x() == at_three.x());
  EXPECT_FALSE(at_one.nu() == at_three.nu());
  // What is left open is taken for the constant 1.
  expect_same_bits(ensemble_of(twisted()).run(sampling_of(100)).snapshots.front(), at_one);
}

TEST(Ensemble, RefusesDampingsOfAnotherForm) {
  Ensemble ensemble(twisted(), {}, {});
  expect_error(ErrorKind::usage,
               "The ensemble was compiled for another form of damping than 'jacobian:1,0'.",
               [&] { ensemble.set_damping(jacobian_damping(1.0, 0.0)); });
}

TEST(Ensemble, RefusesDampingMatricesThatDoNotFit) {
  const auto by = [](const Damping& damping) {
    Method method;
    method.damping = damping;
    return Ensemble(twisted(), method, {});
  };
  Ensemble ensemble = by(matrix_damping({0.0}, {Matrix(2, 2, 1.0)}));
  const auto refuses = [&](const std::string& part, const Damping& damping) {
    expect_error(ErrorKind::usage, part, [&] { (void)by(damping); });
    expect_error(ErrorKind::usage, part, [&] { ensemble.set_damping(damping); });
  };
  refuses("The matrix damping has 0 matrices for 0 times.", matrix_damping({}, {}));
  refuses("A damping matrix is 2 x 3; this model needs 2 x 2",
          matrix_damping({0.0}, {Matrix(2, 3)}));
}

// --- the start --------------------------------------------------------------------------------

TEST(Ensemble, StartsFromSamples) {
  Sampling sampling = sampling_of(4000);
  sampling.snapshots = {0.0};
  const auto run_from = [&](const Model& model) {
    return Ensemble(model, {}, Asked::states()).run(sampling);
  };
  const auto with = [](const std::shared_ptr<const Matrix>& rows) {
    return from_samples().with_samples(rows);
  };
  expect_error(ErrorKind::usage, "Model sampled starts from samples, but none were given.",
               [&] { (void)run_from(from_samples()); });
  auto samples = std::make_shared<Matrix>(4, 2);
  samples->data = {0, 10, 1, 11, 2, 12, 3, 13};
  const Matrix found = run_from(with(samples)).snapshots.front().x();
  std::vector<int> counts(4);
  for (std::size_t r = 0; r < found.rows; ++r) {
    ASSERT_EQ(found(r, 1), found(r, 0) + 10.0);
    ++counts.at(static_cast<std::size_t>(found(r, 0)));
  }
  // Binomial: 1000 with a standard deviation of 27.4.
  for (const int count : counts) EXPECT_NEAR(count, 1000, 5 * 27.4);
  expect_error(ErrorKind::model,
               "The initial samples have 3 columns, but model sampled has 2 states.",
               [&] { (void)run_from(with(std::make_shared<Matrix>(4, 3))); });
  auto broken = std::make_shared<Matrix>(*samples);
  (*broken)(2, 1) = std::nan("");
  expect_error(ErrorKind::model, "The initial samples hold nan in row 2, column 1.",
               [&] { (void)run_from(with(broken)); });
  expect_error(ErrorKind::usage,
               "A snapshot at the start was asked for, where the initial law has "
               "no density and hence no score.",
               [&] { (void)Ensemble(with(samples), {}, {}).run(sampling); });
}

TEST(Ensemble, NewParametersCompileNothing) {
  const Model model = twisted();
  Ensemble ensemble = ensemble_of(model);
  const Model other = model.with_value("a", 1.7).with_time({0.0, 0.02, 0.4});
  const std::size_t compiled = Kernel::compilations();
  ensemble.set_model(other);
  const Snapshot moved = ensemble.run(sampling_of(100)).snapshots.front();
  const Snapshot fresh = ensemble_of(other).run(sampling_of(100)).snapshots.front();
  EXPECT_EQ(Kernel::compilations(), compiled);
  expect_same_bits(moved, fresh);
  EXPECT_NEAR(moved.time, 0.4, 1e-15);
  expect_error(ErrorKind::usage, "has other equations", [&] { ensemble.set_model(explosive()); });
}

// --- other processes --------------------------------------------------------------------------

// Runs the action in a child; returns its peak memory in KiB.
long peak_memory_of(const std::function<void()>& action) {
  const pid_t child = fork();
  if (child == 0) {
    action();
    _exit(0);
  }
  int status = 0;
  rusage usage{};
  EXPECT_EQ(wait4(child, &status, 0, &usage), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return usage.ru_maxrss;
}

// A stored trajectory would be 2,000 paths * 10,000 steps * 4 doubles = 640 MB.
TEST(Memory, DoesNotGrowWithTheHorizon) {
  const Model model = twisted();
  Ensemble ensemble = ensemble_of(model);
  const auto peak = [&](double steps) {
    ensemble.set_model(model.with_time({0.0, 0.001, 0.001 * steps}));
    return peak_memory_of([&] { (void)ensemble.run(sampling_of(2000)); });
  };
  const auto few = static_cast<double>(peak(100));
  const auto many = static_cast<double>(peak(10'000));
  EXPECT_NEAR(many / few, 1.0, 0.05) << few << " KiB for 100 steps, " << many << " for 10,000";
}

// The end of 40 paths by code for the given number of lanes, from a process of its own.
std::vector<double> paths_with_lanes(const char* lanes) {
  std::vector<double> values(40 * 6);
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe(ends.data()), 0);
  const auto bytes = static_cast<ssize_t>(values.size() * sizeof(double));
  const pid_t child = fork();
  if (child == 0) {
    setenv("DIVKER_LANES", lanes, 1);
    const Snapshot found = ensemble_of(twisted()).run(sampling_of(40)).snapshots.front();
    std::vector<double> all = found.x().data;
    all.insert(all.end(), found.nu().data.begin(), found.nu().data.end());
    all.insert(all.end(), found.responses().data.begin(), found.responses().data.end());
    _exit(all.size() == values.size() &&
                  write(ends[1], all.data(), static_cast<std::size_t>(bytes)) == bytes
              ? 0
              : 1);
  }
  close(ends[1]);
  EXPECT_EQ(read(ends[0], values.data(), static_cast<std::size_t>(bytes)), bytes);
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return values;
}

TEST(Lanes, AgreeUpToRounding) {
  const std::vector<double> two = paths_with_lanes("2");
  const std::vector<double> four = paths_with_lanes("4");
  const std::vector<double> eight = paths_with_lanes("8");
  for (std::size_t i = 0; i < two.size(); ++i) {
    EXPECT_NEAR(two[i], eight[i], 1e-9 * (1.0 + std::fabs(two[i])));
    EXPECT_NEAR(four[i], eight[i], 1e-9 * (1.0 + std::fabs(two[i])));
  }
}

}  // namespace
}  // namespace divker
