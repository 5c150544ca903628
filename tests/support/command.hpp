// The command as its user meets it: arguments in, exit code and both outputs back, in a folder of
// its own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace divker::test {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

struct Outcome {
  int code = -1;  // 128 + the signal where one ended the command
  std::string out;
  std::string err;
};

[[nodiscard]] inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

class CommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* command = std::getenv("DIVKER_COMMAND");
    ASSERT_NE(command, nullptr) << "DIVKER_COMMAND must name the command; ctest sets it";
    command_ = command;
    std::string name = (std::filesystem::temp_directory_path() / "divker-command-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }

  // A model of one state x, from its equation and initial law.
  void write_model(const std::string& name, const std::string& lines) const {
    write(name + ".sde", "model " + name + "\n" + lines + "\ntime 0 : 0.01 : 1\n");
  }

  // Starts the command in the folder; its outputs go to files there.
  [[nodiscard]] pid_t start(Words words, const std::string& output = "stdout.txt") const {
    words.insert(words.begin(), command_);
    return start_program(std::move(words), output);
  }
  [[nodiscard]] const std::string& command() const { return command_; }
  [[nodiscard]] pid_t start_program(Words words, const std::string& output = "stdout.txt") const {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("cannot fork");
    if (child != 0) return child;
    const bool ready = chdir(folder_.c_str()) == 0 &&
                       dup2(creat(output.c_str(), 0600), STDOUT_FILENO) >= 0 &&
                       dup2(creat("stderr.txt", 0600), STDERR_FILENO) >= 0;
    if (ready) execv(arguments.front(), arguments.data());
    _exit(127);
  }
  [[nodiscard]] Outcome finish(pid_t child) const {
    int status = 0;
    if (waitpid(child, &status, 0) != child) throw std::runtime_error("the command was lost");
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, text_of(path("stdout.txt")), text_of(path("stderr.txt"))};
  }
  [[nodiscard]] Outcome run(const Words& words) const { return finish(start(words)); }
  // Until the file is there: the command that writes it has come that far. At most a minute.
  void wait_for(const std::string& name) const {
    const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!std::filesystem::exists(path(name)) && std::chrono::steady_clock::now() < late) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  // The JSON object that a command prints, which is all that it prints.
  [[nodiscard]] Json json_of(Words words) const {
    words.emplace_back("--json");
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return Json::parse(outcome.out);
  }

  // A failure with its exit code and part of its message; nothing goes to standard output.
  void expect_failure(const Words& words, int code, const std::string& message) const {
    std::string line;
    for (const std::string& word : words) line += word + " ";
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, code) << line << "\n" << outcome.err;
    EXPECT_NE(outcome.err.find(message), std::string::npos) << line << "\n" << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("divker")) << outcome.err;
    EXPECT_EQ(outcome.out, "") << line;
  }

 private:
  std::string command_;
  std::filesystem::path folder_;
};

}  // namespace divker::test
