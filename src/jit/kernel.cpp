#include "divker/kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <future>
#include <mutex>
#include <unordered_map>

#include "divker/error.hpp"
#include "jit/canonical.hpp"
#include "jit/native.hpp"
#include "jit/reassociate.hpp"
#include "jit/schedule.hpp"

namespace divker {
namespace {

// Measured (docs/kernel.md): a program in one piece runs 1.7 times as fast as one in chunks, whose
// values pass through memory, but its compilation grows faster than its length.
constexpr std::size_t longest_whole_program = 4000;
constexpr std::size_t chunk_of_long_program = 500;
// Vectors that one chunk treats before the next chunk is entered: more save fetches of
// instructions, until the slots outgrow the first-level cache.
constexpr std::size_t vectors_per_visit = 2;

constexpr bool is_lane_count(std::size_t lanes) { return lanes == 2 || lanes == 4 || lanes == 8; }

std::size_t default_chunk(std::size_t nodes) {
  return nodes <= longest_whole_program ? longest_whole_program : chunk_of_long_program;
}

std::size_t checked_lanes(std::size_t lanes) {
  if (lanes == 0) return host_lanes();
  if (!is_lane_count(lanes)) {
    throw Error(
        ErrorKind::usage,
        fmt::format("A kernel has 2, 4 or 8 lanes (0: chosen for this machine), not {}.", lanes));
  }
  if (lanes > jit::native_lanes()) {
    throw Error(ErrorKind::usage,
                fmt::format("A kernel of {} lanes cannot run here: this machine's instruction set "
                            "serves at most {}.",
                            lanes, jit::native_lanes()));
  }
  return lanes;
}

void check_run_values(const jit::CanonicalProgram& program,
                      std::span<const std::span<const double>> run_values) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < program.arguments.size(); ++i) {
    const jit::ArgumentShape& argument = program.arguments[i];
    if (argument.rate != Rate::run) continue;
    if (count < run_values.size() && run_values[count].size() != argument.components) {
      throw Error(ErrorKind::usage,
                  fmt::format("Argument {} of the program has {} components, but {} values were "
                              "given to bind.",
                              i, argument.components, run_values[count].size()));
    }
    ++count;
  }
  if (count != run_values.size()) {
    throw Error(ErrorKind::usage,
                fmt::format("The program has {} arguments of rate run, but {} arrays of values "
                            "were given to bind.",
                            count, run_values.size()));
  }
}

struct Compilations {
  std::atomic<std::size_t> count = 0;
  std::atomic<double> seconds = 0.0;
};
Compilations& all_compilations() {
  static Compilations all;
  return all;
}

}  // namespace

std::size_t host_lanes() {
  const std::size_t native = jit::native_lanes();
  const char* wish = std::getenv("DIVKER_LANES");
  if (wish == nullptr || *wish == '\0') return native;
  const std::string text = wish;
  if (text != "2" && text != "4" && text != "8") {
    throw Error(
        ErrorKind::usage,
        fmt::format("The environment variable DIVKER_LANES is '{}'; it must be 2, 4 or 8.", text));
  }
  return std::min(native, static_cast<std::size_t>(text.front() - '0'));
}

struct Kernel::Implementation {
  using Clock = std::chrono::steady_clock;

  Implementation(jit::CanonicalProgram program, std::size_t kernel_lanes, std::size_t chunk)
      : lanes(kernel_lanes),
        schedule(jit::make_schedule(std::move(program), chunk)),
        code(schedule, kernel_lanes),
        seconds(std::chrono::duration<double>(Clock::now() - start).count()) {}

  [[nodiscard]] std::size_t step_size() const {
    return schedule.step_entries * jit::entry_width(lanes);
  }
  // Without values between chunks there is nothing to keep for each vector.
  [[nodiscard]] std::size_t visit() const {
    return schedule.path_chunks.size() == 1 ? ~std::size_t{0} : vectors_per_visit;
  }

  Clock::time_point start = Clock::now();
  std::size_t lanes;
  jit::Schedule schedule;
  jit::NativeCode code;
  double seconds;
};

Kernel::Kernel(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Kernel::~Kernel() = default;

std::shared_ptr<const Kernel> Kernel::compile(const Program& program,
                                              const KernelOptions& options) {
  using Entry = std::shared_future<std::shared_ptr<const Kernel>>;
  static std::mutex mutex;
  static std::unordered_map<std::string, Entry> cache;

  const std::size_t lanes = checked_lanes(options.lanes);
  const jit::CanonicalProgram canonical = jit::canonical(program);
  if (canonical.nodes.size() > most_operations) {
    throw Error(ErrorKind::model,
                fmt::format("A step of the model takes {} operations, which is too much to "
                            "compile; the limit is {}.",
                            canonical.nodes.size(), most_operations));
  }
  const std::size_t chunk =
      options.chunk != 0 ? options.chunk : default_chunk(canonical.nodes.size());
  const std::string key = fmt::format("{} {} ", lanes, chunk) + canonical.key();

  std::promise<std::shared_ptr<const Kernel>> promise;
  {
    std::unique_lock lock(mutex);
    const auto [place, is_new] = cache.try_emplace(key, promise.get_future().share());
    if (!is_new) {
      const Entry entry = place->second;
      lock.unlock();
      return entry.get();
    }
  }
  try {
    std::shared_ptr<const Kernel> kernel(new Kernel(std::make_unique<Implementation>(
        jit::canonical(jit::reassociated(program)), lanes, chunk)));
    ++all_compilations().count;
    all_compilations().seconds += kernel->compile_seconds();
    promise.set_value(kernel);
    return kernel;
  } catch (...) {
    promise.set_exception(std::current_exception());
    const std::lock_guard lock(mutex);
    cache.erase(key);
    throw;
  }
}

std::size_t Kernel::compilations() { return all_compilations().count; }
double Kernel::total_compile_seconds() { return all_compilations().seconds; }

std::size_t Kernel::lanes() const { return implementation_->lanes; }
double Kernel::compile_seconds() const { return implementation_->seconds; }

std::size_t Kernel::scratch_size() const {
  const Implementation& self = *implementation_;
  const std::size_t slots = self.schedule.slots * self.lanes;
  return self.step_size() + (slots == 0 ? 0 : slots * vectors_per_visit);
}

std::string Kernel::llvm_ir() const {
  return jit::llvm_ir(implementation_->schedule, implementation_->lanes);
}
std::string Kernel::assembly() const {
  return jit::assembly(implementation_->schedule, implementation_->lanes);
}

std::vector<double> Kernel::bind(std::span<const std::span<const double>> run_values) const {
  const Implementation& self = *implementation_;
  check_run_values(self.schedule.program, run_values);
  const std::vector<double> values = self.schedule.constant_values(run_values);
  const std::size_t width = jit::entry_width(self.lanes);
  std::vector<double> table;
  table.reserve(values.size() * width);
  for (const double value : values) table.insert(table.end(), width, value);
  return table;
}

void Kernel::operator()(const double* constants, const double* const* arguments,
                        double* const* results, std::size_t vectors, double* scratch) const {
  const Implementation& self = *implementation_;
  double* steps = scratch;
  double* slots = scratch + self.step_size();
  for (const jit::ChunkFunction chunk : self.code.step_chunks()) {
    chunk(constants, arguments, results, 0, 0, steps, slots);
  }
  const std::size_t visit = self.visit();
  for (std::size_t first = 0; first < vectors;) {
    const std::size_t count = std::min(visit, vectors - first);
    for (const jit::ChunkFunction chunk : self.code.path_chunks()) {
      chunk(constants, arguments, results, first, count, steps, slots);
    }
    first += count;
  }
}

}  // namespace divker
