// The texts keep their word: commands in README.md and docs/ run, code is compiled code, links lead
// somewhere.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "divker/language.hpp"
#include "numbers/number_in.hpp"

namespace {

namespace fs = std::filesystem;

struct Block {
  std::string info;  // what follows the opening fence: "sh", "sh no-run", "cpp"
  std::string text;
  std::size_t line = 0;  // of the opening fence, from 1
};

fs::path root() { return fs::path(DIVKER_TEST_DATA).parent_path().parent_path(); }

std::string read(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<Block> fenced_blocks(const std::string& text) {
  std::vector<Block> blocks;
  std::istringstream lines(text);
  bool inside = false;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with("```")) {
      if (!inside) blocks.push_back({line.substr(3), "", number});
      inside = !inside;
    } else if (inside) {
      blocks.back().text += line + '\n';
    }
  }
  return blocks;
}

std::vector<fs::path> pages() {
  std::vector<fs::path> found{root() / "README.md"};
  for (const auto& entry : fs::directory_iterator(root() / "docs")) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool is_shell(const Block& block) { return block.info == "sh" || block.info.starts_with("sh "); }

bool calls_divker(const Block& block) {
  return block.text.starts_with("build/divker ") ||
         block.text.find("\nbuild/divker ") != std::string::npos;
}

// A folder with build/divker, the command, and data/ alone, removed at the end.
class Scratch {
 public:
  explicit Scratch(const std::string& command) {
    std::string name = (fs::temp_directory_path() / "divker-readme-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
    fs::create_directory(folder_ / "build");
    fs::create_symlink(command, folder_ / "build" / "divker");
    fs::create_directory_symlink(root() / "data", folder_ / "data");
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // Runs the script; the exit status, and standard output and error together.
  [[nodiscard]] std::pair<int, std::string> run(const std::string& script) const {
    std::ofstream(folder_ / "script.sh") << "set -eu\n" << script;
    const std::string line =
        fmt::format("cd '{}' && bash script.sh >output.txt 2>&1", folder_.string());
    const int status = std::system(line.c_str());  // NOLINT: the texts are our own
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(folder_ / "output.txt")};
  }

 private:
  fs::path folder_;
};

TEST(Readme, IsReadInFiveMinutes) {
  const std::string text = read(root() / "README.md");
  EXPECT_LT(std::ranges::count(text, '\n'), 200);
}

TEST(Readme, ShowsTheExampleAsItIsCompiled) {
  std::vector<Block> code;
  for (Block& block : fenced_blocks(read(root() / "README.md"))) {
    if (block.info == "cpp") code.push_back(std::move(block));
  }
  ASSERT_EQ(code.size(), 1U);
  EXPECT_EQ(code.front().text, read(root() / "docs" / "examples" / "first.cpp"));
}

// What the pages show of C++ stands in a program that is compiled and run, line after line.
TEST(Readme, PagesShowCodeAsItIsCompiled) {
  const std::string program = read(root() / "docs" / "examples" / "pages.cpp");
  std::size_t shown = 0;
  for (const fs::path& page : pages()) {
    if (page.filename() == "README.md") continue;
    for (const Block& block : fenced_blocks(read(page))) {
      if (block.info != "cpp") continue;
      std::istringstream lines(block.text);
      std::string indented;
      for (std::string line; std::getline(lines, line);) indented += "  " + line + '\n';
      EXPECT_NE(program.find(indented), std::string::npos) << page.string() << ':' << block.line;
      ++shown;
    }
  }
  EXPECT_GE(shown, 4U);
}

TEST(Readme, PagesShowModelsThatAreModels) {
  std::size_t shown = 0;
  for (const fs::path& page : pages()) {
    for (const Block& block : fenced_blocks(read(page))) {
      if (block.info != "sde") continue;
      EXPECT_NO_THROW((void)divker::parse_model(block.text)) << page.string() << ':' << block.line;
      ++shown;
    }
  }
  EXPECT_GE(shown, 1U);
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

// The same words, and numbers that are the same but for their last digits: within half of the bar
// that follows a number, within a fiftieth where none does.
bool alike(const std::vector<std::string>& shown, const std::vector<std::string>& printed) {
  if (shown.size() != printed.size()) return false;
  for (std::size_t w = 0; w < shown.size(); ++w) {
    const auto a = divker::number_in(shown[w]);
    const auto b = divker::number_in(printed[w]);
    if (!a || !b) {
      if (shown[w] != printed[w]) return false;
      continue;
    }
    const bool has_bar = w + 2 < shown.size() && shown[w + 1] == "+-";
    const bool is_bar = w > 0 && shown[w - 1] == "+-";
    const double room = has_bar  ? 0.5 * divker::number_in(shown[w + 2]).value_or(0.0)
                        : is_bar ? 0.3 * std::fabs(*a)
                                 : 0.02 * std::fabs(*a);
    if (std::fabs(*a - *b) > room) return false;
  }
  return true;
}

// Every line that the block shows is printed, in this order.
void expect_printed(const Block& block, const std::string& output, const std::string& where) {
  std::istringstream shown(block.text);
  std::istringstream printed(output);
  std::string found;
  for (std::string line; std::getline(shown, line);) {
    if (words_of(line).empty()) continue;
    bool is_there = false;
    while (!is_there && std::getline(printed, found)) {
      is_there = alike(words_of(line), words_of(found));
    }
    ASSERT_TRUE(is_there) << where << ": the command does not print\n"
                          << line << "\nbut\n"
                          << output;
  }
}

TEST(Readme, EveryCommandRuns) {
  const char* command = std::getenv("DIVKER_COMMAND");
  if (command == nullptr) GTEST_SKIP() << "DIVKER_COMMAND does not name the command";
  std::size_t run = 0;
  std::size_t compared = 0;
  for (const fs::path& page : pages()) {
    const Scratch scratch(command);
    std::string last_output;
    for (const Block& block : fenced_blocks(read(page))) {
      if (block.info == "text prints") {
        expect_printed(block, last_output, fmt::format("{}:{}", page.string(), block.line));
        ++compared;
      }
      if (block.info != "sh" || !calls_divker(block)) continue;
      const auto [status, output] = scratch.run(block.text);
      EXPECT_EQ(status, 0) << page.string() << ':' << block.line << '\n' << block.text << output;
      last_output = output;
      ++run;
    }
  }
  EXPECT_GE(run, 5U);
  EXPECT_GE(compared, 3U);
}

TEST(Readme, ShellBlocksAreRunOrSayThatTheyAreNot) {
  for (const fs::path& page : pages()) {
    for (const Block& block : fenced_blocks(read(page))) {
      if (!is_shell(block)) continue;
      EXPECT_TRUE(block.info == "sh no-run" || (block.info == "sh" && calls_divker(block)))
          << page.string() << ':' << block.line << ": a block '" << block.info
          << "' that runs no build/divker";
    }
  }
}

TEST(Readme, LinksLeadSomewhere) {
  const std::regex link(R"(\]\(([^)#]+)(#[^)]*)?\))");
  for (const fs::path& page : pages()) {
    const std::string text = read(page);
    for (std::sregex_iterator found(text.begin(), text.end(), link), end; found != end; ++found) {
      const std::string target = (*found)[1];
      if (target.find("://") != std::string::npos) continue;
      EXPECT_TRUE(fs::exists(page.parent_path() / target)) << page.string() << " -> " << target;
    }
  }
}

}  // namespace
