// divker reproduce: the experiments of the method's paper and some beyond, each a script that asks
// this command, writes tables and a picture, and says whether the figures are as expected.
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "command.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/ranks.hpp"

namespace divker::app {
namespace {

namespace fs = std::filesystem;

struct Script {
  std::string name;
  fs::path path;
  std::string summary;  // the first line of its docstring
};

// The experiments lie beside the shipped models.
fs::path experiments_folder() {
  for (const ShippedModel& model : shipped_models()) {
    fs::path folder = fs::path(model.path).parent_path().parent_path() / "experiments";
    if (fs::is_directory(folder)) return folder;
  }
  throw Error(ErrorKind::usage,
              "The folder of the experiments was not found beside that of the shipped models.");
}

// A script says that it is one by its first line; the others are what they share.
std::vector<Script> scripts() {
  std::vector<Script> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(experiments_folder())) {
    if (entry.path().extension() != ".py") continue;
    std::ifstream in(entry.path());
    std::string first;
    std::string second;
    std::getline(in, first);
    std::getline(in, second);
    if (!first.starts_with("#!") || !second.starts_with("\"\"\"")) continue;
    found.push_back({entry.path().stem().string(), entry.path(), second.substr(3)});
  }
  std::ranges::sort(found, {}, &Script::name);
  return found;
}

void list(const std::vector<Script>& all) {
  std::size_t width = 0;
  for (const Script& script : all) width = std::max(width, script.name.size());
  for (const Script& script : all) fmt::print("{:<{}}  {}\n", script.name, width, script.summary);
}

const Script& named(const std::vector<Script>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &Script::name);
  if (found != all.end()) return *found;
  std::string names;
  for (const Script& script : all) names += (names.empty() ? "" : ", ") + script.name;
  throw Error(ErrorKind::usage,
              fmt::format("There is no experiment '{}'; the experiments are: {}.", name, names));
}

std::vector<std::string> command_line(const Script& script, const std::string& out, bool quick) {
  std::vector<std::string> words{DIVKER_PYTHON, script.path.string(),
                                 "--divker",    fs::read_symlink("/proc/self/exe").string(),
                                 "--out",       out.empty() ? "reproduced/" + script.name : out};
  if (quick) words.emplace_back("--quick");
  return words;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  return arguments;
}

[[noreturn]] void throw_not_started(int reason) {
  throw Error(ErrorKind::usage, fmt::format("The experiment needs {}, which cannot be run: {}.",
                                            DIVKER_PYTHON, std::strerror(reason)));
}

// This process becomes the script: Ctrl-C and the exit code are its own.
[[noreturn]] void become(std::vector<std::string> words) {
  execv(words.front().c_str(), pointers(words).data());
  throw_not_started(errno);
}

// The script as a process of the first rank, whose commands run alone; its exit code.
int run_beside_ranks(std::vector<std::string> words) {
  setenv("DIVKER_MPI", "off", 1);
  pid_t child = 0;
  const int problem =
      posix_spawn(&child, words.front().c_str(), nullptr, nullptr, pointers(words).data(), environ);
  if (problem != 0) throw_not_started(problem);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : exit_interrupted;
}

struct Request {
  std::string name;
  std::string out;
  bool quick = false;
};

}  // namespace

void add_reproduce(CLI::App& app, int& code) {
  auto request = std::make_shared<Request>();
  CLI::App* command = app.add_subcommand(
      "reproduce", "Run an experiment of the documentation; without a name, list them");
  command->add_option("experiment", request->name, "Its name");
  command->add_option("--out", request->out,
                      "Folder of its tables and picture (default: reproduced/NAME)");
  command->add_flag("--quick", request->quick, "With few paths, in seconds");
  command->footer(
      "Started by mpirun: on the first rank alone.\n"
      "Exit codes: 0 the figures are as expected, 1 they are not, 2 usage or a script that could "
      "not run.");
  command->callback([request, &code] {
    const std::vector<Script> all = scripts();
    if (request->name.empty()) {
      list(all);
      code = exit_done;
      return;
    }
    auto words = command_line(named(all, request->name), request->out, request->quick);
    if (ranks().size() == 1) become(std::move(words));
    code = std::stoi(
        from_first_rank([&words] { return std::to_string(run_beside_ranks(std::move(words))); }));
  });
}

}  // namespace divker::app
