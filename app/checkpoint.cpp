// --checkpoint of the runs: saving to a file, and going on from it.
#include "divker/checkpoint.hpp"

#include <filesystem>

#include "command.hpp"
#include "divker/error.hpp"
#include "divker/file.hpp"
#include "divker/ranks.hpp"

namespace divker::app {

void CommonOptions::declare_checkpoint(CLI::App& command) {
  CLI::Option* file = command
                          .add_option("--checkpoint", checkpoint,
                                      "Save the run to FILE now and then, and go on from it if it "
                                      "is there")
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
  on_first_rank([&file] {
    check_writable(file);
    remove_abandoned(file);
  });
  Checkpoint checkpoint;
  checkpoint.name = file;
  checkpoint.seconds = options.checkpoint_every;
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
