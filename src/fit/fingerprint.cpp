#include "fit/fingerprint.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "divker/plan.hpp"

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
  if (model.samples()) {
    for (const double value : model.samples()->data) hash.add(value);
  }
  for (const Input& input : model.inputs()) {
    if (!input.knots) continue;
    for (const double time : input.knots->times()) hash.add(time);
    for (const double value : input.knots->values()) hash.add(value);
  }
  const Sampling& sampling = options.sampling;
  const Method method = resolved(model, options.method, Asked());
  const RegressorOptions& r = options.regressor_options;
  hash.add(fmt::format("{} {} {} {} {} {}", sampling.paths, sampling.first_path, sampling.seed,
                       static_cast<int>(sampling.resolution), sampling.failed_share,
                       static_cast<int>(sampling.start_rows)));
  hash.add(fmt::format("{} {} {}", name_of(method.scheme), number_of(method.order),
                       method.damping.identity()));
  hash.add(fmt::format("{} {} {} {} {} {} {}", options.starts, options.match, options.optimizer,
                       options.regressor, options.tolerance, options.rate, options.window));
  if (options.optimizer == "dual" || options.divergence != divergence_names().front() ||
      options.features != FitOptions().features) {
    hash.add(fmt::format("{} {}", options.divergence, options.features));
  }
  hash.add(fmt::format("{} {} {} {}", r.neighbours, r.bandwidth, r.bins, r.degree));
  return hash.text();
}

std::string name_of_run(const std::vector<double>& parameters,
                        const std::vector<std::size_t>& active, std::size_t paths,
                        std::size_t first_path) {
  Hash hash;
  for (const double value : parameters) hash.add(value);
  for (const std::size_t p : active) hash.add(static_cast<double>(p));
  hash.add(fmt::format("{} {}", paths, first_path));
  return hash.text();
}

}  // namespace divker::fit
