#include "march/checkpoint.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "divker/error.hpp"

namespace divker::march {
namespace {

constexpr std::string_view magic_line = "divker run 1\n";
constexpr std::size_t frame_size = magic_line.size() + 2 * sizeof(std::uint64_t);

double clock_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A few numbers as they are; many by their count and hash.
std::string in_short(const std::vector<double>& values) {
  constexpr std::size_t few = 6;
  if (values.size() <= few) return fmt::format("{}", fmt::join(values, ", "));
  return fmt::format("{} numbers with the hash {}", values.size(), hash_of(values));
}

std::string damping_in_words(const Damping& damping) {
  std::string text = damping.early ? "early:" + damping.text() : damping.text();
  if (damping.form == DampingForm::learned)
    return text + " with the hash " + hash_of(damping.weights);
  if (damping.form != DampingForm::matrix) return text;
  std::vector<double> all = damping.times;
  for (const Matrix& matrix : damping.matrices) {
    all.insert(all.end(), matrix.data.begin(), matrix.data.end());
  }
  return text + " with the hash " + hash_of(all);
}

std::string step_in_words(const Engine& engine) {
  const StepOptions& step = engine.options;
  if (!step.score) return "states alone";
  std::vector<std::string> responses;
  for (const std::size_t p : step.responses) {
    responses.push_back(engine.model.parameters()[p].name);
  }
  return fmt::format("score{}{}, {}, order {}", responses.empty() ? "" : " and responses to ",
                     fmt::join(responses, ", "), step.scheme == Scheme::exact ? "exact" : "euler",
                     step.order == InverseOrder::second ? 2 : 1);
}

std::string samples_in_words(const RunOptions& options) {
  if (!options.samples) return "none";
  return fmt::format("{} rows with the hash {}", options.samples->rows,
                     hash_of(options.samples->data));
}

std::string frame_of(const std::string& state) {
  const std::uint64_t numbers[2] = {state.size(), checksum(state)};
  std::string frame(magic_line);
  frame.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
  return frame;
}

[[noreturn]] void fail_resuming(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::model, fmt::format("{} is no checkpoint of a run: {}.", name, why));
}

// What the frame encloses.
std::string state_in(std::string bytes, const std::string& name) {
  if (!std::string_view(bytes).starts_with(magic_line.substr(0, bytes.size()))) {
    fail_resuming(name, fmt::format("it does not begin with '{}'",
                                    magic_line.substr(0, magic_line.size() - 1)));
  }
  if (bytes.size() < frame_size) fail_resuming(name, "it ends too early");
  std::uint64_t numbers[2];
  std::memcpy(numbers, bytes.data() + magic_line.size(), sizeof numbers);
  bytes.erase(0, frame_size);
  if (bytes.size() != numbers[0]) {
    fail_resuming(name, fmt::format("{} bytes should follow its beginning, but {} do", numbers[0],
                                    bytes.size()));
  }
  if (checksum(bytes) != numbers[1]) {
    fail_resuming(name, "it is damaged (its checksum is not that of its bytes)");
  }
  return bytes;
}

bool is_same(const std::vector<IdentityEntry>& saved, const std::vector<IdentityEntry>& here) {
  return std::equal(saved.begin(), saved.end(), here.begin(), here.end(),
                    [](const IdentityEntry& a, const IdentityEntry& b) {
                      return a.name == b.name && a.value == b.value;
                    });
}

void require_same(const std::vector<IdentityEntry>& saved, const std::vector<IdentityEntry>& here,
                  const std::string& name) {
  for (std::size_t i = 0; i < std::max(saved.size(), here.size()); ++i) {
    const IdentityEntry none{"", "none"};
    const IdentityEntry& there = i < saved.size() ? saved[i] : none;
    const IdentityEntry& mine = i < here.size() ? here[i] : none;
    if (there.name == mine.name && there.value == mine.value) continue;
    throw Error(
        ErrorKind::usage,
        fmt::format("{} is the checkpoint of another run: the {} is {} there, and {} here.", name,
                    mine.name.empty() ? there.name : mine.name, there.value, mine.value));
  }
}

}  // namespace

std::uint64_t checksum(std::string_view bytes) {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = bytes.size();
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), size);
    bytes.remove_prefix(size);
    // Both maps are bijections of the hash, and of the word.
    hash = (hash ^ word) * odd;
    hash ^= hash >> 32U;
  }
  return hash;
}

std::string hash_of(std::span<const double> values) {
  return fmt::format("{:016x}",
                     checksum({reinterpret_cast<const char*>(values.data()), values.size_bytes()}));
}

std::vector<IdentityEntry> identity_of(const Engine& engine, const RunOptions& options,
                                       const std::string& kept) {
  const Model& model = engine.model;
  const TimeGrid& grid = model.time();
  std::vector<IdentityEntry> identity;
  const auto add = [&](const std::string& name, const auto& value) {
    identity.push_back({name, fmt::format("{}", value)});
  };
  add("version of divker", DIVKER_VERSION);
  add("model", model.name());
  add("hash of the equations", model.hash());
  for (const Parameter& parameter : model.parameters()) {
    add("parameter " + parameter.name, parameter.value);
  }
  add("time grid", fmt::format("{} : {} : {}", grid.start, grid.step, grid.end) +
                       (grid.tamed > 0.0 ? fmt::format(" tamed {}", grid.tamed) : ""));
  add("seed", options.seed);
  add("number of paths", options.paths);
  add("first path", options.first_path);
  add("list of snapshot times",
      options.snapshots.empty() ? "the end" : in_short(options.snapshots));
  add("table of initial samples", samples_in_words(options));
  add("resolution", options.resolution == Resolution::full ? "full" : "fast");
  add("number of increments per step", options.increments_per_step);
  add("step", step_in_words(engine));
  add("damping", engine.options.score ? damping_in_words(options.damping) : "none");
  add("number of paths to a vector", engine.lanes());
  add("instruction set", random_instruction_set());
  add("result", kept);
  return identity;
}

Checkpointer::Checkpointer(const Checkpoint& settings, const Engine& engine,
                           const RunOptions& options, const std::size_t& absorbed,
                           Transfer transfer)
    : settings_(settings),
      on_(settings.on() && !options.stopped()),
      absorbed_(absorbed),
      transfer_(std::move(transfer)),
      pace_(settings.seconds, clock_seconds()) {
  if (on_) identity_ = identity_of(engine, options, settings.kept);
}

bool Checkpointer::resume() {
  if (!on_ || !settings_.load) return false;
  std::string bytes = settings_.load();
  if (bytes.empty()) return false;
  Archive archive(state_in(std::move(bytes), settings_.name));
  std::vector<IdentityEntry> saved;
  archive(saved);
  if (settings_.own_only && !is_same(saved, identity_)) return false;
  require_same(saved, identity_, settings_.name);
  transfer_(archive);
  if (!archive.at_end()) fail_resuming(settings_.name, "it holds more than this run absorbs");
  saved_ = absorbed_;
  return true;
}

void Checkpointer::save_if_due() {
  if (on_ && pace_.due(clock_seconds())) save();
}

void Checkpointer::save() {
  if (!on_ || absorbed_ == saved_) return;
  const double began = clock_seconds();
  Archive archive;
  archive(identity_);
  transfer_(archive);
  settings_.save(frame_of(archive.bytes()), archive.bytes());
  saved_ = absorbed_;
  pace_.saved(began, clock_seconds());
}

}  // namespace divker::march
