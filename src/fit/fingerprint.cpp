#include "fit/fingerprint.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace divker::fit {
namespace {

// Fowler, Noll and Vo's hash, 64 bits.
class Hash {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    value_ = (value_ ^ 0xFFU) * 0x100000001B3ULL;
  }
  void add(double number) {
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    add(std::string_view(bytes, sizeof number));
  }
  [[nodiscard]] std::string text() const { return fmt::format("{:016x}", value_); }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325ULL;
};

}  // namespace

std::string fingerprint_of(const Model& model, const FitData& data, const FitOptions& options) {
  Hash hash;
  hash.add(model.text());
  hash.add(data.stationary ? "stationary" : "snapshots");
  for (const DataBlock& block : data.blocks) {
    hash.add(block.time);
    for (const std::size_t column : block.observed) hash.add(static_cast<double>(column));
    for (const double value : block.values.data) hash.add(value);
    for (const std::size_t one : block.individuals) hash.add(static_cast<double>(one));
  }
  if (options.run.samples) {
    for (const double value : options.run.samples->data) hash.add(value);
  }
  const RegressorOptions& r = options.regressor_options;
  hash.add(fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", options.run.paths,
                       options.starts, options.run.first_path, options.run.seed,
                       static_cast<int>(options.run.resolution), options.run.failed_share,
                       static_cast<int>(options.damping.kind), options.damping.damping.text(),
                       static_cast<int>(options.order), static_cast<int>(options.match),
                       static_cast<int>(options.optimizer), options.regressor, options.tolerance,
                       options.rate, options.window, r.neighbours, r.bandwidth,
                       fmt::format("{} {}", r.bins, r.degree)));
  return hash.text();
}

std::string run_name(const std::vector<double>& parameters, const std::vector<std::size_t>& active,
                     const RunOptions& run) {
  Hash hash;
  for (const double value : parameters) hash.add(value);
  for (const std::size_t p : active) hash.add(static_cast<double>(p));
  hash.add(fmt::format("{} {}", run.paths, run.first_path));
  return hash.text();
}

}  // namespace divker::fit
