// --checkpoint of the runs.
#include <filesystem>

#include "checkpoint_file.hpp"
#include "command.hpp"
#include "divker/error.hpp"

namespace divker::app {

void CommonOptions::declare_checkpoint(CLI::App& command, const std::string& description) {
  CLI::Option* file = command.add_option("--checkpoint", checkpoint, description)
                          ->type_name("FILE")
                          ->check(not_empty());
  command.add_option("--checkpoint-every", checkpoint_every, "Seconds between two saves")
      ->type_name("SECONDS")
      ->check(finite_number())
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->needs(file);
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
