// Files written whole or not at all, and files read with care.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace divker {

// A temporary file in the folder of `target`, under construction. commit() makes it durable (fsync)
// and renames it over the target in one step; if it is destroyed before, it is removed and the
// target stays as it was. The new file takes the permissions of the one it replaces.
// Every failure to write is an Error(usage) with the reason that the system gave: folder missing,
// not writable, disk full.
class StagedFile {
 public:
  explicit StagedFile(const std::filesystem::path& target);
  ~StagedFile();
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;

  // Where to write meanwhile. The file exists already and is empty.
  [[nodiscard]] const std::filesystem::path& temporary() const { return temporary_; }
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  bool committed_ = false;
};

// A file written piece by piece, whole or not at all: nothing is there before commit(), and nothing
// ever if it is destroyed before. Devices and pipes are written directly. Errors as of StagedFile.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view bytes);
  void commit();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// Removes the temporary files of this target that processes which are no more left behind, killed
// as they wrote.
void remove_abandoned(const std::filesystem::path& target);

// Writes the bytes to the file, whole or not at all. Devices and pipes (/dev/stdout) are written
// directly. Throws Error(usage) with the system's reason.
void write_whole_file(const std::filesystem::path& path, std::string_view bytes);

// Throws the Error(usage) that writing the file would meet (folder missing, not writable, the path
// is a folder), so that a long run need not end with it. The file itself is left alone.
void check_writable(const std::filesystem::path& path);

// Larger files, and tables that need more memory, are refused: 4 GiB.
inline constexpr std::size_t largest_file = std::size_t{1} << 32U;

// The contents of a text file. Throws Error(model) if the file is missing, a folder, a device or a
// pipe (which might never end), not readable, empty, larger than `limit` bytes, or binary (it holds
// a NUL byte).
[[nodiscard]] std::string read_text_file(const std::filesystem::path& path,
                                         std::size_t limit = largest_file);

// The same for any file, in which NUL bytes are welcome.
[[nodiscard]] std::string read_binary_file(const std::filesystem::path& path,
                                           std::size_t limit = largest_file);

}  // namespace divker
