// Nanoseconds per standard normal number: items_per_second counts numbers.
#include <benchmark/benchmark.h>

#include <vector>

#include "divker/random.hpp"

namespace {

constexpr std::size_t steps = 8, components = 40, lanes = 8;

void fill(benchmark::State& state, divker::Resolution resolution) {
  const divker::NormalSource source(1, divker::Stream::step, resolution);
  std::vector<double> numbers(steps * components * lanes);
  std::uint64_t step = 0;
  for (auto _ : state) {
    source.fill(0, step, steps, 1, components, lanes, numbers.data());
    benchmark::DoNotOptimize(numbers.data());
    benchmark::ClobberMemory();
    step += steps;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(numbers.size()));
  state.SetLabel(divker::random_instruction_set());
}

void scalar(benchmark::State& state) {
  const divker::NormalSource source(1);
  std::uint64_t step = 0;
  for (auto _ : state) benchmark::DoNotOptimize(source.normal(0, ++step, 3, components));
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

BENCHMARK_CAPTURE(fill, fast, divker::Resolution::fast)->Repetitions(7);
BENCHMARK_CAPTURE(fill, full, divker::Resolution::full)->Repetitions(7);
BENCHMARK(scalar)->Repetitions(7);
BENCHMARK_MAIN();
