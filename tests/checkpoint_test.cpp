// Runs that are cut short and go on: the same bits, and nothing else is taken for one of them.
#include "divker/checkpoint.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "divker/ensemble.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "march/checkpoint.hpp"

namespace divker {
namespace {

constexpr std::size_t paths_of_test = 3000;  // twelve groups, the last one short

Model wanderer(double a = 0.9) {
  return parse_model("model wanderer\nparam a = " + std::to_string(a) +
                         "\nstate x\ndx = -a*x dt + dW\ninit x ~ normal(0, 1)\n"
                         "time 0 : 0.01 : 0.5\n",
                     "test");
}

// Paths that start far out reach infinity.
Model fragile() {
  return parse_model(
      "model fragile\nstate x\ndx = x^3 dt + 0.1 dW\ninit x ~ normal(0, 0.4)\n"
      "time 0 : 0.01 : 2\n",
      "test");
}

Ensemble ensemble_of(const Model& model, const Damping& damping = constant_damping(1.0)) {
  Method method;
  method.damping = damping;
  return Ensemble(model, method, Asked::responses_to(model.free_parameters()));
}

Sampling short_sampling() {
  Sampling sampling;
  sampling.paths = paths_of_test;
  sampling.snapshots = {0.25, 0.5};
  sampling.failed_share = 1.0;
  return sampling;
}

Session session_with(Checkpoint checkpoint = {}) {
  Session session;
  session.threads = 2;
  session.checkpoint = std::move(checkpoint);
  return session;
}

Paths run(const Ensemble& ensemble, const Session& session = session_with()) {
  return ensemble.run(short_sampling(), session);
}

// A file that is none.
struct Saved {
  std::string bytes;
  std::vector<std::string> all;  // that were ever saved

  Checkpoint checkpoint(double seconds = 0.0) {
    Checkpoint result;
    result.name = "c";
    result.seconds = seconds;
    result.load = [this] { return bytes; };
    result.save = [this](std::string_view frame, std::string_view state) {
      bytes = std::string(frame) + std::string(state);
      all.push_back(bytes);
    };
    return result;
  }
};

void expect_equal(const Paths& a, const Paths& b) {
  ASSERT_EQ(a.snapshots.size(), b.snapshots.size());
  for (std::size_t k = 0; k < a.snapshots.size(); ++k) {
    EXPECT_EQ(a.snapshots[k].time, b.snapshots[k].time);
    EXPECT_EQ(a.snapshots[k].tables(), b.snapshots[k].tables());
  }
  EXPECT_EQ(a.numbers, b.numbers);
  EXPECT_EQ(a.summary.paths, b.summary.paths);
  EXPECT_EQ(a.summary.failed, b.summary.failed);
  ASSERT_EQ(a.summary.first_failures.size(), b.summary.first_failures.size());
  for (std::size_t i = 0; i < a.summary.first_failures.size(); ++i) {
    EXPECT_EQ(a.summary.first_failures[i].path, b.summary.first_failures[i].path);
    EXPECT_EQ(a.summary.first_failures[i].time, b.summary.first_failures[i].time);
  }
}

void expect_refused(ErrorKind kind, const std::string& sentence,
                    const std::function<void()>& action) {
  try {
    action();
    ADD_FAILURE() << "no error; expected: " << sentence;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_EQ(std::string(error.what()).find(sentence), 0U) << error.what();
  }
}

class CheckpointedRun : public testing::Test {
 protected:
  // What a run saves that is stopped when it has reported so often.
  [[nodiscard]] std::string saved_after(std::size_t reports) {
    Saved saved;
    std::atomic<bool> stop = false;
    Session session = session_with(saved.checkpoint(1e9));
    session.stop = &stop;
    std::size_t seen = 0;
    session.progress = [&](std::size_t, std::size_t) { stop = ++seen >= reports; };
    EXPECT_TRUE(run(ensemble_, session).summary.interrupted);
    EXPECT_FALSE(saved.bytes.empty());
    return saved.bytes;
  }

  Model model_ = wanderer();
  Ensemble ensemble_ = ensemble_of(model_);
  Saved saved_;
};

TEST_F(CheckpointedRun, GoesOnFromEverySaveToTheSameBits) {
  const Paths whole = run(ensemble_);
  expect_equal(run(ensemble_, session_with(saved_.checkpoint())), whole);
  std::vector<std::string> all = saved_.all;
  ASSERT_GT(all.size(), 0U)
      << "saves take no more than a tenth of the time: few where they are slow";
  for (const std::size_t reports : {1U, 4U, 7U}) all.push_back(saved_after(reports));
  for (const std::string& one : all) {
    Saved from;
    from.bytes = one;
    Session session = session_with(from.checkpoint());
    session.threads = 1 + all.size() % 3;  // they may differ, as blocks may
    session.block = 8;
    expect_equal(run(ensemble_, session), whole);
  }
}

TEST_F(CheckpointedRun, StoppedAgainAndAgainItEndsWithTheSameBits) {
  const Paths whole = run(ensemble_);
  std::size_t parts = 1;
  for (Paths part;; ++parts) {
    ASSERT_LT(parts, 20U);
    std::atomic<bool> stop = false;
    Session session = session_with(saved_.checkpoint(1e9));
    session.stop = &stop;
    std::size_t calls = 0;
    session.progress = [&](std::size_t, std::size_t) { stop = ++calls >= 4; };
    part = run(ensemble_, session);
    if (part.summary.interrupted) continue;
    expect_equal(part, whole);
    break;
  }
  EXPECT_GT(parts, 2U);
}

TEST_F(CheckpointedRun, AFinishedOneAnswersWithoutRunning) {
  const Paths whole = run(ensemble_, session_with(saved_.checkpoint()));
  const std::size_t saves = saved_.all.size();
  Session session = session_with(saved_.checkpoint());
  std::vector<std::size_t> seen;
  session.progress = [&](std::size_t finished, std::size_t) { seen.push_back(finished); };
  expect_equal(run(ensemble_, session), whole);
  EXPECT_EQ(seen, std::vector<std::size_t>{paths_of_test});
  EXPECT_EQ(saved_.all.size(), saves);
}

TEST_F(CheckpointedRun, FailedPathsSurvive) {
  const Ensemble ensemble(fragile(), {}, Asked::states());
  const Paths whole = run(ensemble);
  ASSERT_GT(whole.summary.failed, 3U);
  expect_equal(run(ensemble, session_with(saved_.checkpoint())), whole);
  saved_.bytes = saved_.all[saved_.all.size() / 2];
  expect_equal(run(ensemble, session_with(saved_.checkpoint())), whole);
}

// What is stopped before it begins had a pilot that was stopped too: its damping is no choice.
TEST_F(CheckpointedRun, StoppedBeforeItBeginsItSavesNothing) {
  const std::atomic<bool> stop = true;
  Session session = session_with(saved_.checkpoint());
  session.stop = &stop;
  EXPECT_TRUE(run(ensemble_, session).summary.interrupted);
  EXPECT_TRUE(saved_.all.empty());
}

TEST_F(CheckpointedRun, ASaveThatFailsEndsTheRun) {
  Checkpoint full = saved_.checkpoint();
  full.save = [](std::string_view, std::string_view) {
    throw Error(ErrorKind::usage, "cannot write 'c': No space left on device");
  };
  expect_refused(ErrorKind::usage, "cannot write 'c': No space left on device",
                 [&] { (void)run(ensemble_, session_with(full)); });
}

TEST_F(CheckpointedRun, AnotherRunIsRefusedByWhatDiffers) {
  (void)run(ensemble_, session_with(saved_.checkpoint()));
  const auto refuse = [&](const std::string& what, const Ensemble& ensemble,
                          const std::function<void(Sampling&)>& change) {
    Sampling sampling = short_sampling();
    change(sampling);
    expect_refused(ErrorKind::usage, "c is the checkpoint of another run: the " + what,
                   [&] { (void)ensemble.run(sampling, session_with(saved_.checkpoint())); });
  };
  const auto nothing = [](Sampling&) {};
  refuse("seed is 1 there, and 2 here.", ensemble_, [](Sampling& s) { s.seed = 2; });
  refuse("number of paths is 3000 there, and 3001 here.", ensemble_,
         [](Sampling& s) { ++s.paths; });
  refuse("first path is 0 there, and 5 here.", ensemble_, [](Sampling& s) { s.first_path = 5; });
  refuse("list of snapshot times is 0.25, 0.5 there, and the end here.", ensemble_,
         [](Sampling& s) { s.snapshots.clear(); });
  refuse("resolution is fast there, and full here.", ensemble_,
         [](Sampling& s) { s.resolution = Resolution::full; });
  refuse("number of increments per step is 1 there, and 2 here.", ensemble_,
         [](Sampling& s) { s.increments_per_step = 2; });
  refuse("damping is 1 there, and early:1 here.", ensemble_of(model_, constant_damping(1.0, true)),
         nothing);
  refuse("table of initial samples is none there, and 1 rows with the hash",
         ensemble_of(model_.with_samples(std::make_shared<Matrix>(1, 1))), nothing);
  refuse("parameter a is 0.9 there, and 0.8 here.", ensemble_of(wanderer(0.8)), nothing);
  refuse("step is score and responses to a, euler, order 1 there, and states alone here.",
         Ensemble(model_, {}, Asked::states()), nothing);
  refuse("model is wanderer there, and fragile here.", Ensemble(fragile(), {}, Asked::states()),
         nothing);
  refuse("time grid is 0 : 0.01 : 0.5 there, and 0 : 0.05 : 0.5 here.",
         ensemble_of(model_.with_time({0.0, 0.05, 0.5})), nothing);
}

TEST_F(CheckpointedRun, SamplesInTheirOrderAreAnotherRunThanSamplesDrawn) {
  const auto rows = std::make_shared<Matrix>(5, 1, 0.5);
  const Model model = model_.starting_from_samples("rows.npy").with_samples(rows);
  const Ensemble ensemble(model, {}, Asked::states());
  (void)run(ensemble, session_with(saved_.checkpoint()));
  Sampling in_order = short_sampling();
  in_order.start_rows = StartRows::by_path;
  expect_refused(ErrorKind::usage,
                 "c is the checkpoint of another run: the table of initial samples is 5 rows with "
                 "the hash",
                 [&] { (void)ensemble.run(in_order, session_with(saved_.checkpoint())); });
}

TEST_F(CheckpointedRun, AnotherResultIsRefused) {
  const Sampling sampling = short_sampling();
  const March run{ensemble_.plan(), model_, sampling,
                  model_.time().snapshot_steps(sampling.snapshots)};
  const auto answer = [&](const std::string& kept) {
    const Session session = session_with(saved_.checkpoint());
    std::size_t absorbed = 0;
    march::Checkpointer saver(session, march::identity_of(run, "by hand", kept), absorbed,
                              [&](Archive& archive) { archive(absorbed); });
    if (saver.resume()) return;
    absorbed = 1;
    saver.save();
  };
  answer("the mean of x");
  answer("the mean of x");
  expect_refused(ErrorKind::usage,
                 "c is the checkpoint of another run: the result is the mean of x there, and the "
                 "mean of x^2 here.",
                 [&] { answer("the mean of x^2"); });
}

// Cut anywhere, changed anywhere, longer than it should be: all refused, none crashes.
TEST_F(CheckpointedRun, DamageIsRefused) {
  Sampling sampling = short_sampling();
  sampling.paths = 10;
  (void)ensemble_.run(sampling, session_with(saved_.checkpoint()));
  const std::string whole = saved_.bytes;
  const auto refuse = [&](const std::string& bytes) {
    saved_.bytes = bytes;
    expect_refused(ErrorKind::model, "c is no checkpoint of a run: ", [&] {
      (void)ensemble_.run(sampling, session_with(saved_.checkpoint()));
    });
  };
  for (std::size_t size = 1; size < whole.size(); size += size < 40 ? 1 : 13) {
    refuse(whole.substr(0, size));
  }
  for (std::size_t at = 0; at < whole.size(); at += at < 40 ? 1 : 7) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    refuse(changed);
  }
  refuse(whole + "x");
  refuse("something else");
  EXPECT_EQ(saved_.all.size(), 1U) << "what was refused must not be replaced";
}

TEST(SavingPace, WaitsForItsIntervalAndTakesATenthOfTheTime) {
  march::SavingPace pace(60.0, 1000.0);
  EXPECT_FALSE(pace.due(1059.0));
  EXPECT_TRUE(pace.due(1060.0));
  pace.saved(1060.0, 1062.0);
  EXPECT_FALSE(pace.due(1119.0));
  EXPECT_TRUE(pace.due(1120.0));  // an interval after the moment that was saved
  pace.saved(1120.0, 1130.0);     // a slow disk
  EXPECT_FALSE(pace.due(1219.0));
  EXPECT_TRUE(pace.due(1220.0));
  march::SavingPace always(0.0, 1000.0);
  EXPECT_TRUE(always.due(1000.0));
  always.saved(1000.0, 1010.0);
  EXPECT_TRUE(always.due(1010.0));
}

}  // namespace
}  // namespace divker
