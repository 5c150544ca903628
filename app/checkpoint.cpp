// --checkpoint of the runs.
#include <filesystem>

#include "checkpoint_file.hpp"
#include "command.hpp"
#include "divker/error.hpp"

namespace divker::app {

void CommonOptions::declare_checkpoint(CLI::App& command) {
  command
      .add_option("--checkpoint", checkpoint,
                  "Save the run to FILE now and then, and go on from it if it is there")
      ->type_name("FILE")
      ->check(not_empty());
  declare_pace(command);
}

void CommonOptions::declare_pace(CLI::App& command) {
  command.add_option("--checkpoint-every", checkpoint_every, "Seconds between two saves")
      ->type_name("SECONDS")
      ->check(finite_number())
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->needs("--checkpoint");
}

Checkpoint checkpoint_of(const CommonOptions& options) {
  const std::string file = options.checkpoint;
  if (file.empty()) return {};
  if (!options.out.empty() &&
      std::filesystem::weakly_canonical(options.out) == std::filesystem::weakly_canonical(file)) {
    throw Error(ErrorKind::usage, "--checkpoint and --out name the same file.");
  }
  return checkpoint_in(file, options.checkpoint_every);
}

}  // namespace divker::app
