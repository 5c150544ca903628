// divker bench: the benchmark table as JSON lines; every claim is a ratio measured in one run.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "command.hpp"
#include "divker/error.hpp"
#include "divker/kernel.hpp"
#include "divker/language.hpp"
#include "divker/random.hpp"
#include "divker/ranks.hpp"
#include "timing.hpp"

namespace divker::app {
namespace {

using timing::median;
using timing::Paired;
using timing::paired;
using timing::ResponseRun;
using timing::seconds_of;

struct BenchOptions {
  std::size_t repeats = 7;
  std::size_t paths = 2048;
  std::vector<std::string> only;
};

void emit(const Json& line) {
  fmt::print("{}\n", line.dump());
  std::fflush(stdout);
}

void response(const BenchOptions& options, const std::string& name) {
  const ResponseRun response(load_model(name));
  std::vector<double> times;
  response.run(options.paths, 1);
  for (std::size_t k = 0; k < options.repeats; ++k) {
    times.push_back(seconds_of([&] { response.run(options.paths, 1); }));
  }
  emit({{"case", name + (name == "lorenz96" ? "-40/response" : "/response")},
        {"path_steps_per_s", response.path_steps(options.paths) / median(times)},
        {"operations_per_step", response.operations()},
        {"compile_seconds", response.compile_seconds()}});
}

// x, nu and two responses of Lorenz-96 on one thread. The same step written by hand is timed by
// bench/divker_bench.cpp, whose code is no part of the command.
void lorenz96(const BenchOptions& options) { response(options, "lorenz96"); }

void two_threads(const BenchOptions& options) {
  const ResponseRun response(load_model("lorenz96"));
  const Paired times = paired(
      options.repeats, [&] { response.run(options.paths, 2); },
      [&] { response.run(options.paths, 1); });
  emit({{"case", "lorenz96-40/two-threads"},
        {"path_steps_per_s", response.path_steps(options.paths) / times.first},
        {"ratio_to_one_thread", times.ratio}});
}

// One thread of every rank against one thread of the first rank, which has as many paths as all.
void against_one_rank(const BenchOptions& options) {
  const ResponseRun response(load_model("lorenz96"));
  const std::size_t paths = options.paths * ranks().size();
  const auto on_first = [&] { alone([&] { response.run(paths, 1); }); };
  const Paired times = paired(
      options.repeats, [&] { response.run(paths, 1); }, [&] { on_first_rank(on_first); });
  emit({{"case", "lorenz96-40/ranks"},
        {"ranks", ranks().size()},
        {"path_steps_per_s", response.path_steps(paths) / times.first},
        {"ratio_to_one_rank", times.ratio}});
}

// What each shipped model costs with score and all responses, one thread.
void shipped(const BenchOptions& options) {
  for (const char* name : {"ou", "bumpy", "gbm", "langevin", "lorenz63", "kuramoto"}) {
    response(options, name);
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
    const ResponseRun response(model);
    compile = response.compile_seconds();
    operations = response.operations();
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
    Group{"lorenz96-40/response", lorenz96},
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
