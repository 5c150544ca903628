#include "checkpoint_file.hpp"

#include <filesystem>

#include "divker/file.hpp"
#include "divker/ranks.hpp"

namespace divker::app {

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

}  // namespace divker::app
