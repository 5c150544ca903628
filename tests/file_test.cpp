#include "divker/file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "divker/error.hpp"
#include "support/errors.hpp"

namespace divker {
namespace {

using test::expect_error;

namespace fs = std::filesystem;

class File : public testing::Test {
 protected:
  File() : folder_(fs::path(testing::TempDir()) / ("divker_file_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~File() override { fs::remove_all(folder_); }

  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_)) ++count;
    return count;
  }

  fs::path folder_;
};

TEST_F(File, WritesAndReplacesWholeFiles) {
  const fs::path path = folder_ / "a.txt";
  write_whole_file(path, "first");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  write_whole_file(path, "second");
  EXPECT_EQ(read_text_file(path), "second");
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(files(), 1U);
}

TEST_F(File, WritesThroughALinkAndToADevice) {
  write_whole_file(folder_ / "target", "old");
  fs::create_symlink(folder_ / "target", folder_ / "link");
  write_whole_file(folder_ / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_text_file(folder_ / "target"), "new");
  write_whole_file("/dev/null", "nothing");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(File, AnAbandonedStagedFileLeavesNothing) {
  const fs::path path = folder_ / "a.txt";
  write_whole_file(path, "kept");
  {
    const StagedFile staged(path);
    EXPECT_EQ(staged.temporary().parent_path(), folder_);
    EXPECT_EQ(files(), 2U);
  }
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(read_text_file(path), "kept");
}

TEST_F(File, PiecesArriveTogetherOrNotAtAll) {
  const fs::path path = folder_ / "a.txt";
  write_whole_file(path, "old");
  {
    OutputFile file(path);
    file.write("lost");
  }
  EXPECT_EQ(read_text_file(path), "old");
  OutputFile file(path);
  file.write("two ");
  file.write("pieces");
  EXPECT_EQ(read_text_file(path), "old");
  file.commit();
  EXPECT_EQ(read_text_file(path), "two pieces");
  EXPECT_EQ(files(), 1U);
}

TEST_F(File, WhatTheKilledLeftIsRemoved) {
  const fs::path path = folder_ / "a.txt";
  const pid_t child = fork();
  if (child == 0) {
    const StagedFile staged(path);
    _exit(0);  // without destructors
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  const StagedFile alive(path);
  const StagedFile other(folder_ / "b.txt");
  write_whole_file(folder_ / ".a.txt.notes.part", "no number of a process");
  EXPECT_EQ(files(), 4U);
  remove_abandoned(path);
  EXPECT_EQ(files(), 3U);
  EXPECT_TRUE(fs::exists(alive.temporary()));
  remove_abandoned(folder_ / "no" / "a.txt");
}

TEST_F(File, SaysWhyItCannotWrite) {
  const std::string missing = (folder_ / "no" / "a.txt").string();
  const std::string sentence = "cannot write '" + missing + "': the folder '" +
                               (folder_ / "no").string() + "' does not exist";
  expect_error(ErrorKind::usage, sentence, [&] { write_whole_file(missing, "x"); });
  expect_error(ErrorKind::usage, sentence, [&] { check_writable(missing); });
  expect_error(ErrorKind::usage, "cannot write '" + folder_.string() + "': it is a folder",
               [&] { check_writable(folder_); });
  expect_error(ErrorKind::usage, "cannot write a file: its name is empty",
               [] { check_writable(""); });
  expect_error(ErrorKind::usage, "cannot write '/dev/full': No space left on device",
               [] { write_whole_file("/dev/full", "x"); });
  write_whole_file(folder_ / "plain", "x");
  const std::string inside = (folder_ / "plain" / "a.txt").string();
  expect_error(ErrorKind::usage, "cannot write '" + inside + "': Not a directory",
               [&] { check_writable(inside); });
}

TEST_F(File, CheckWritableLeavesTheFolderAsItWas) {
  check_writable(folder_ / "a.txt");
  EXPECT_EQ(files(), 0U);
  write_whole_file(folder_ / "a.txt", "x");
  check_writable(folder_ / "a.txt");
  EXPECT_EQ(read_text_file(folder_ / "a.txt"), "x");
  EXPECT_EQ(files(), 1U);
}

TEST_F(File, AFullDiskKeepsTheOldFileAndRemovesTheTemporary) {
  const fs::path path = folder_ / "a.txt";
  write_whole_file(path, "kept");
  // A limit on the size of files stands in for the full disk.
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error(ErrorKind::usage, "cannot write '" + path.string() + "': File too large",
               [&] { write_whole_file(path, std::string(5000, 'x')); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, previous);
  EXPECT_EQ(read_text_file(path), "kept");
  EXPECT_EQ(files(), 1U);
}

TEST_F(File, SaysWhyItCannotRead) {
  const auto expect = [&](const fs::path& path, const std::string& why, std::size_t limit) {
    expect_error(ErrorKind::model, "cannot read '" + path.string() + "': " + why,
                 [&] { (void)read_text_file(path, limit); });
  };
  expect(folder_ / "no", "No such file or directory", 10);
  expect(folder_, "it is a folder", 10);
  write_whole_file(folder_ / "empty", "");
  expect(folder_ / "empty", "it is empty", 10);
  write_whole_file(folder_ / "long", "12345678901");
  expect(folder_ / "long", "it is larger than the limit of 10 bytes", 10);
  EXPECT_EQ(read_text_file(folder_ / "long", 11), "12345678901");
  expect("/dev/zero", "it is not a regular file", 10);
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  expect(folder_ / "pipe", "it is not a regular file", 10);
  fs::create_symlink("loop", folder_ / "loop");
  expect(folder_ / "loop", "Too many levels of symbolic links", 10);
  write_whole_file(folder_ / "binary", std::string("a\0b", 3));
  expect(folder_ / "binary", "it is not a text file (it holds a NUL byte)", 10);
  EXPECT_EQ(read_binary_file(folder_ / "binary"), std::string("a\0b", 3));
}

}  // namespace
}  // namespace divker
