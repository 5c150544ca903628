#include "picture.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>

#include "divker/error.hpp"
#include "divker/file.hpp"

extern char** environ;  // NOLINT: as POSIX declares it

namespace divker::app {
namespace {

std::string python() {
  const char* own = std::getenv("DIVKER_PYTHON");
  return own != nullptr && *own != '\0' ? own : DIVKER_PYTHON;
}

// Beside the installed command, else in the source tree.
std::filesystem::path script() {
  std::error_code error;
  const std::filesystem::path command = std::filesystem::canonical("/proc/self/exe", error);
  const std::filesystem::path installed = command.parent_path() / DIVKER_PLOT_FROM_COMMAND;
  return std::filesystem::exists(installed, error) ? installed : DIVKER_SOURCE_PLOT;
}

// Runs the program, with its messages on standard error; its exit status, -1 if it does not start.
int run(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) {
    return -1;
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

}  // namespace

void check_picture(const std::string& option, const std::string& file) {
  const std::string extension = std::filesystem::path(file).extension().string();
  if (extension != ".png" && extension != ".pdf" && extension != ".svg") {
    throw Error(ErrorKind::usage,
                fmt::format("{} {}: pictures are .png, .pdf or .svg files.", option, file));
  }
  check_writable(file);
  constexpr const char* probe =
      "import importlib.util as u, sys; "
      "sys.exit(0 if u.find_spec('numpy') and u.find_spec('matplotlib') else 1)";
  if (run({python(), "-c", probe}) != 0) {
    throw Error(ErrorKind::usage,
                fmt::format("{} {}: {} has no matplotlib; Debian's package is "
                            "python3-matplotlib, and $DIVKER_PYTHON names another Python.",
                            option, file, python()));
  }
}

Json titles_of(const Model& model) {
  Json titles = Json::object();
  const auto add = [&](const auto& ones) {
    for (const auto& one : ones) {
      if (std::string title = model.title_of(one.name); title != one.name) {
        titles[one.name] = std::move(title);
      }
    }
  };
  add(model.states());
  add(model.parameters());
  add(model.observations());
  return titles;
}

void draw_picture(const Json& json, const std::string& file, const std::string& part) {
  const StagedFile staged(file + ".json");  // beside the picture, and gone with this object
  const std::string input = staged.temporary().string();
  write_whole_file(input, json.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (run({python(), script().string(), input, file, part}) != 0) {
    throw Error(ErrorKind::usage,
                fmt::format("The picture {}: {} could not draw it.", file, script().string()));
  }
}

}  // namespace divker::app
