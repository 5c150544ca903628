// x, nu and two responses of Lorenz-96 on one thread, against the same step written by hand: one
// JSON line. Usage: divker_bench [REPEATS [PATHS]]
#include <fmt/format.h>

#include <exception>
#include <string>

#include "divker/kernel.hpp"
#include "divker/language.hpp"
#include "lorenz96_reference.hpp"
#include "timing.hpp"

namespace {

void against_reference(std::size_t repeats, std::size_t paths) {
  const divker::Model model = divker::load_model("lorenz96");
  const divker::timing::ResponseRun response(model);
  divker::reference::Lorenz96Reference by_hand;
  by_hand.paths = paths;
  by_hand.steps = model.time().steps();
  by_hand.seed = divker::Sampling{}.seed;
  by_hand.dt = model.time().step;
  const divker::timing::Paired times = divker::timing::paired(
      repeats, [&] { response.run(paths, 1); }, [&] { (void)by_hand.run(); });
  const double work = response.path_steps(paths);
  fmt::print(
      R"({{"case":"lorenz96-40/against-reference","path_steps_per_s":{},"ratio_to_reference":{},)"
      R"("reference_path_steps_per_s":{},"reference":"{}","ns_per_component_step":{},"lanes":{},)"
      R"("compile_seconds":{},"operations_per_step":{}}})"
      "\n",
      work / times.first, times.ratio, work / times.second,
      divker::reference::Lorenz96Reference::instruction_set(),
      1e9 * times.first / (work * static_cast<double>(divker::reference::lorenz96_size)),
      divker::host_lanes(), response.compile_seconds(), response.operations());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    against_reference(argc > 1 ? std::stoul(argv[1]) : 7, argc > 2 ? std::stoul(argv[2]) : 2048);
  } catch (const std::exception& error) {
    fmt::print(stderr, "divker_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
