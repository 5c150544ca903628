#include "march/checkpoint.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "divker/error.hpp"
#include "numbers/checksum.hpp"

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

std::string asked_in_words(const March& march) {
  if (march.plan.asked.states_alone()) return march.plan.text();
  std::vector<std::string> responses;
  for (const std::size_t p : march.plan.asked.wrt) {
    responses.push_back(march.model.parameters()[p].name);
  }
  const Asked& asked = march.plan.asked;
  const char* first = asked.score ? "score" : asked.tangents ? "tangents" : "likelihood ratio";
  return fmt::format("{}{}{}, {}, order {}", first, responses.empty() ? "" : " and responses to ",
                     fmt::join(responses, ", "), name_of(march.plan.method.scheme),
                     number_of(march.plan.method.order));
}

std::string samples_in_words(const March& march) {
  if (!march.model.samples()) return "none";
  const char* which = march.sampling.start_rows == StartRows::by_path ? ", in their order" : "";
  return fmt::format("{} rows with the hash {}{}", march.model.samples()->rows,
                     hash_of(march.model.samples()->data), which);
}

std::string input_in_words(const Input& input) {
  return fmt::format("{} knots with the hash {}, {} between them", input.knots->times().size(),
                     hash_of(input.knots->times()) + hash_of(input.knots->values()),
                     name_of(input.interpolation));
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

std::vector<IdentityEntry> identity_of(const March& march, const std::string& arithmetic,
                                       const std::string& kept) {
  const Model& model = march.model;
  const Sampling& sampling = march.sampling;
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
  add("seed", sampling.seed);
  add("number of paths", sampling.paths);
  add("first path", sampling.first_path);
  add("list of snapshot times",
      sampling.snapshots.empty() ? "the end" : in_short(sampling.snapshots));
  add("table of initial samples", samples_in_words(march));
  for (const Input& input : model.inputs()) add("input " + input.name, input_in_words(input));
  add("resolution", sampling.resolution == Resolution::full ? "full" : "fast");
  add("number of increments per step", sampling.increments_per_step);
  add("step", asked_in_words(march));
  add("damping", march.plan.asked.states_alone() ? "none" : march.plan.method.damping.identity());
  add("arithmetic", arithmetic);
  add("result", kept);
  return identity;
}

Checkpointer::Checkpointer(const Session& session, std::vector<IdentityEntry> identity,
                           const std::size_t& absorbed, Transfer transfer)
    : settings_(session.checkpoint),
      on_(settings_.on() && !session.stopped()),
      absorbed_(absorbed),
      identity_(std::move(identity)),
      transfer_(std::move(transfer)),
      pace_(settings_.seconds, clock_seconds()) {}

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
