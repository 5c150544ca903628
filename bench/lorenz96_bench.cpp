// The hand-written Lorenz-96 step: items_per_second counts component-steps.
#include <benchmark/benchmark.h>

#include "lorenz96_reference.hpp"

namespace {

void reference(benchmark::State& state, bool noise) {
  divker::reference::Lorenz96Reference setting;
  setting.paths = 64;
  setting.steps = 375;
  for (auto _ : state) {
    benchmark::DoNotOptimize(noise ? setting.run() : setting.run_without_noise());
  }
  state.SetItemsProcessed(
      state.iterations() *
      static_cast<std::int64_t>(setting.paths * setting.steps * divker::reference::lorenz96_size));
  state.SetLabel(divker::reference::Lorenz96Reference::instruction_set());
}

}  // namespace

BENCHMARK_CAPTURE(reference, with_random_numbers, true)->Repetitions(7);
BENCHMARK_CAPTURE(reference, without_random_numbers, false)->Repetitions(7);
BENCHMARK_MAIN();
