// Files in memory, for readers and writers that take a path.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace divker::fuzz {

// A file of this process in /dev/shm, removed at the end. (HDF5 does not open the path of a memfd.)
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& name)
      : path_("/dev/shm/divker-fuzz-" + std::to_string(::getpid()) + "-" + name) {}
  ~MemoryFile() { ::unlink(path_.c_str()); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void fill(const std::uint8_t* data, std::size_t size) const {
    const int number = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (number < 0 || ::write(number, data, size) != static_cast<ssize_t>(size)) std::abort();
    ::close(number);
  }

 private:
  std::filesystem::path path_;
};

// The bytes as a file: one for the whole process, filled anew at each call.
inline const std::filesystem::path& input_file(const std::uint8_t* data, std::size_t size) {
  static const MemoryFile file("input");
  file.fill(data, size);
  return file.path();
}
inline const std::filesystem::path& output_file() {
  static const MemoryFile file("output");
  return file.path();
}

}  // namespace divker::fuzz
