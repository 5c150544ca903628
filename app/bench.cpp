// divker bench: the benchmark table as JSON lines; every claim is a ratio measured in one run.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <string_view>
#include <vector>

#include "command.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/random.hpp"
#include "divker/ranks.hpp"
#include "lorenz96_reference.hpp"

namespace divker::app {
namespace {

struct BenchOptions {
  std::size_t repeats = 7;
  std::size_t paths = 2048;
  std::vector<std::string> only;
};

double seconds_of(const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Two pieces of work in turn, A B A B ..., after one warm-up of each: their median times and the
// median of the ratio B/A pair by pair, which a drifting machine leaves alone.
struct Paired {
  double first = 0.0;
  double second = 0.0;
  double ratio = 0.0;
};

Paired paired(std::size_t repeats, const std::function<void()>& a, const std::function<void()>& b) {
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

void emit(const Json& line) {
  fmt::print("{}\n", line.dump());
  std::fflush(stdout);
}

Ensemble response_ensemble(const Model& model) {
  StepOptions step;
  step.responses = model.free_parameters();
  return {model, step};
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

RunOptions bench_run(std::size_t paths, unsigned threads) {
  RunOptions run;
  run.paths = paths;
  run.threads = threads;
  run.damping.alpha = 5.0;
  run.failed_share = 1.0;
  return run;
}

void run_discarding(const Ensemble& ensemble, const RunOptions& run) {
  Discard discard;
  (void)ensemble.run(run, discard);
}

// x, nu and two responses of Lorenz-96 on one thread, against the same step written by hand.
void against_reference(const BenchOptions& options) {
  const Model model = load_model("lorenz96");
  const Ensemble ensemble = response_ensemble(model);
  const RunOptions run = bench_run(options.paths, 1);
  reference::Lorenz96Reference by_hand;
  by_hand.paths = options.paths;
  by_hand.steps = model.time().steps();
  by_hand.seed = run.seed;
  by_hand.dt = model.time().step;
  const Paired times = paired(
      options.repeats, [&] { run_discarding(ensemble, run); }, [&] { (void)by_hand.run(); });
  const double work = static_cast<double>(options.paths * by_hand.steps);
  emit({{"case", "lorenz96-40/response"},
        {"path_steps_per_s", work / times.first},
        {"ratio_to_reference", times.ratio},
        {"reference_path_steps_per_s", work / times.second},
        {"reference", reference::Lorenz96Reference::instruction_set()},
        {"ns_per_component_step", 1e9 * times.first / (work * 40.0)},
        {"lanes", host_lanes()},
        {"compile_seconds", ensemble.compile_seconds()},
        {"operations_per_step", ensemble.operations()}});
}

void two_threads(const BenchOptions& options) {
  const Ensemble ensemble = response_ensemble(load_model("lorenz96"));
  const RunOptions one = bench_run(options.paths, 1);
  const RunOptions two = bench_run(options.paths, 2);
  const Paired times = paired(
      options.repeats, [&] { run_discarding(ensemble, two); },
      [&] { run_discarding(ensemble, one); });
  const double work = static_cast<double>(options.paths * ensemble.model().time().steps());
  emit({{"case", "lorenz96-40/two-threads"},
        {"path_steps_per_s", work / times.first},
        {"ratio_to_one_thread", times.ratio}});
}

// One thread of every rank against one thread of the first rank, which has as many paths as all.
void against_one_rank(const BenchOptions& options) {
  const Ensemble ensemble = response_ensemble(load_model("lorenz96"));
  const RunOptions run = bench_run(options.paths * ranks().size(), 1);
  const auto on_first = [&] { alone([&] { run_discarding(ensemble, run); }); };
  const Paired times = paired(
      options.repeats, [&] { run_discarding(ensemble, run); }, [&] { on_first_rank(on_first); });
  const double work = static_cast<double>(run.paths * ensemble.model().time().steps());
  emit({{"case", "lorenz96-40/ranks"},
        {"ranks", ranks().size()},
        {"path_steps_per_s", work / times.first},
        {"ratio_to_one_rank", times.ratio}});
}

// What each shipped model costs with score and all responses, one thread.
void shipped(const BenchOptions& options) {
  for (const char* name : {"ou", "bumpy", "gbm", "langevin", "lorenz63", "kuramoto"}) {
    const Ensemble ensemble = response_ensemble(load_model(name));
    const RunOptions run = bench_run(options.paths, 1);
    std::vector<double> times;
    run_discarding(ensemble, run);
    for (std::size_t k = 0; k < options.repeats; ++k) {
      times.push_back(seconds_of([&] { run_discarding(ensemble, run); }));
    }
    const double work = static_cast<double>(options.paths * ensemble.model().time().steps());
    emit({{"case", fmt::format("{}/response", name)},
          {"path_steps_per_s", work / median(times)},
          {"operations_per_step", ensemble.operations()},
          {"compile_seconds", ensemble.compile_seconds()}});
  }
}

void normals(const BenchOptions& options) {
  constexpr std::size_t components = 40;
  constexpr std::size_t vectors = 4;
  constexpr std::size_t rounds = 400;
  const std::size_t lanes = host_lanes();
  std::vector<double> numbers(vectors * components * lanes);
  const auto fill = [&](Resolution resolution) {
    const NormalSource source(1, Stream::step, resolution);
    for (std::size_t step = 0; step < rounds; ++step) {
      source.fill(0, step, 1, vectors, components, lanes, numbers.data());
    }
  };
  const Paired times = paired(
      options.repeats * 3, [&] { fill(Resolution::fast); }, [&] { fill(Resolution::full); });
  const double count = static_cast<double>(rounds * numbers.size());
  emit({{"case", "normals/fast"},
        {"normals_per_s", count / times.first},
        {"ns_per_normal", 1e9 * times.first / count}});
  emit({{"case", "normals/full"},
        {"normals_per_s", count / times.second},
        {"ns_per_normal", 1e9 * times.second / count}});
}

// A thousand components: the compiler must not explode.
void large_model(const BenchOptions&) {
  const std::string text =
      "model lorenz96_1000\nparam F = 8\nparam s = 1 in (0, inf)\nstate x[1000] periodic\n"
      "dx[i] = ((x[i+1] - x[i-2])*x[i-1] - x[i] - 0.01*x[i]^2 + F) dt + s dW[i]\n"
      "init x[i] ~ normal(0, 2)\ntime 0 : 0.004 : 0.04\n";
  const Model model = parse_model(text);
  double compile = 0.0;
  std::size_t operations = 0;
  const double total = seconds_of([&] {
    const Ensemble ensemble = response_ensemble(model);
    compile = ensemble.compile_seconds();
    operations = ensemble.operations();
  });
  emit({{"case", "lorenz96-1000/compile"},
        {"compile_seconds", compile},
        {"derive_seconds", total - compile},
        {"operations_per_step", operations}});
}

struct Group {
  std::string_view name;
  void (*run)(const BenchOptions&);
};

constexpr std::array groups{
    Group{"lorenz96-40/response", against_reference},
    Group{"lorenz96-40/two-threads", two_threads},
    Group{"normals", normals},
    Group{"shipped", shipped},
    Group{"lorenz96-1000/compile", large_model},
};

std::vector<std::string> group_names() {
  std::vector<std::string> names;
  names.reserve(groups.size());
  for (const Group& group : groups) names.emplace_back(group.name);
  return names;
}

}  // namespace

void add_bench(CLI::App& app, int& code) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand("bench", "The benchmark table as JSON lines");
  command->footer("Started by mpirun: how much faster all ranks are than one.");
  command->add_option("--repeats", options->repeats, "Repeats; medians are printed")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--paths", options->paths, "Paths of each run")
      ->check(CLI::Range(256, 10'000'000))
      ->capture_default_str();
  command->add_option("--only", options->only, "Only some of the groups, by name")
      ->delimiter(',')
      ->check(CLI::IsMember(group_names()));
  command->callback([options, &code] {
    if (ranks().size() > 1) {
      if (!options->only.empty()) {
        throw Error(ErrorKind::usage,
                    "--only names measurements of one process; on several ranks bench compares "
                    "them with one.");
      }
      against_one_rank(*options);
      code = exit_done;
      return;
    }
    for (const Group& group : groups) {
      const auto& only = options->only;
      if (only.empty() || std::find(only.begin(), only.end(), group.name) != only.end()) {
        group.run(*options);
      }
    }
    code = exit_done;
  });
}

}  // namespace divker::app
