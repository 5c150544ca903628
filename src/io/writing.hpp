// Bytes to file descriptors.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace divker {

// What the system says of an errno.
[[nodiscard]] std::string system_reason(int code);

// Error(usage): cannot write the file.
[[noreturn]] void fail_writing(const std::filesystem::path& path, const std::string& why);

// A file descriptor that closes itself; close() reports what the last writes met.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool open() const { return number_ >= 0; }
  int close();

 private:
  int number_;
};

// All of them, at the place where the descriptor stands.
void write_all(const Descriptor& file, std::string_view bytes, const std::filesystem::path& path);

}  // namespace divker
