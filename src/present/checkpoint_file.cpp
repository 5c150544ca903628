#include "present/checkpoint_file.hpp"

#include <chrono>
#include <filesystem>
#include <string_view>
#include <vector>

#include "divker/file.hpp"
#include "divker/ranks.hpp"

namespace divker::present {

Checkpoint checkpoint_in(const std::string& file, double seconds) {
  on_first_rank([&file] {
    check_writable(file);
    remove_abandoned(file);
  });
  Checkpoint checkpoint;
  checkpoint.name = file;
  checkpoint.seconds = seconds;
  checkpoint.load = [file] {
    return from_first_rank(
        [&file] { return std::filesystem::exists(file) ? read_binary_file(file) : std::string(); });
  };
  checkpoint.save = [file](std::string_view frame, std::string_view state) {
    OutputFile output(file);
    output.write(frame);
    output.write(state);
    output.commit();
  };
  return checkpoint;
}

Checkpoint SavedRuns::of(const std::string& run) const {
  using Clock = std::chrono::steady_clock;
  Checkpoint checkpoint = checkpoint_in(name_of(run), seconds_);
  checkpoint.own_only = true;
  checkpoint.save = [save = checkpoint.save, began = Clock::now(), seconds = seconds_](
                        std::string_view frame, std::string_view state) {
    if (std::chrono::duration<double>(Clock::now() - began).count() >= seconds) save(frame, state);
  };
  return checkpoint;
}

void SavedRuns::keep_only(const std::string& run) const {
  on_first_rank([this, &run] {
    const std::filesystem::path kept(name_of(run));
    const std::string beginning = std::filesystem::path(name_of({})).filename().string();
    std::vector<std::filesystem::path> others;
    for (const auto& entry : std::filesystem::directory_iterator(
             kept.has_parent_path() ? kept.parent_path() : std::filesystem::path("."))) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(beginning) && name != kept.filename()) others.push_back(entry.path());
    }
    for (const auto& other : others) std::filesystem::remove(other);
  });
}

}  // namespace divker::present
