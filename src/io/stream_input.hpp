// Tables that have no name to tell their format: standard input, "-", and /dev/fd/63, as shells
// write <(command).
#pragma once

#include <filesystem>
#include <string>

namespace divker {

// "-", /dev/stdin and what is under /dev/fd or /proc/self/fd.
[[nodiscard]] bool is_stream(const std::filesystem::path& path);

// The extension that the first bytes of a file ask for: ".npy", ".h5", ".csv.gz", else ".csv".
[[nodiscard]] std::string extension_by_content(const std::filesystem::path& path);

// What a stream holds, as a file with the extension that its content asks for. The file is gone
// with the object. Throws Error(model) where the stream is empty, ends in an error, or is larger
// than largest_file.
class StreamInput {
 public:
  explicit StreamInput(const std::filesystem::path& stream);
  ~StreamInput();
  StreamInput(const StreamInput&) = delete;
  StreamInput& operator=(const StreamInput&) = delete;

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path folder_;
  std::filesystem::path file_;
};

}  // namespace divker
