#include "io/stream_input.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "divker/error.hpp"
#include "divker/file.hpp"

namespace divker {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_streaming(const fs::path& stream, const std::string& why) {
  throw Error(ErrorKind::model, fmt::format("cannot read '{}': {}", stream.string(), why));
}

fs::path new_folder() {
  std::string name = (fs::temp_directory_path() / "divker-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error(ErrorKind::usage, fmt::format("cannot write in '{}', which holds standard input "
                                              "while it is read; TMPDIR names another folder",
                                              fs::temp_directory_path().string()));
  }
  return name;
}

void copy_stream(const fs::path& stream, const fs::path& target) {
  std::ifstream in(stream == "-" ? fs::path("/dev/stdin") : stream, std::ios::binary);
  if (!in) fail_streaming(stream, "No such stream");
  std::ofstream out(target, std::ios::binary);
  std::array<char, 1U << 16U> block{};
  std::size_t bytes = 0;
  while (in.read(block.data(), block.size()), in.gcount() > 0) {
    bytes += static_cast<std::size_t>(in.gcount());
    if (bytes > largest_file) {
      fail_streaming(stream, fmt::format("it is larger than {} bytes", largest_file));
    }
    if (!out.write(block.data(), in.gcount())) {
      fail_streaming(stream, fmt::format("'{}' cannot be written", target.string()));
    }
  }
  if (bytes == 0) fail_streaming(stream, "it is empty");
}

}  // namespace

bool is_stream(const fs::path& path) {
  const std::string folder = path.parent_path().string();
  return path == "-" || path == "/dev/stdin" || folder == "/dev/fd" || folder == "/proc/self/fd";
}

std::string extension_by_content(const fs::path& path) {
  std::error_code none;
  if (!fs::is_regular_file(path, none)) return ".csv";  // its reader says why; a pipe would not end
  std::ifstream in(path, std::ios::binary);
  std::string head(8, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  if (head.starts_with("\x93NUMPY")) return ".npy";
  if (head.starts_with("\x89HDF")) return ".h5";
  if (head.starts_with("\x1f\x8b")) return ".csv.gz";
  return ".csv";
}

StreamInput::StreamInput(const fs::path& stream) : folder_(new_folder()) {
  try {
    const fs::path raw = folder_ / "stream";
    copy_stream(stream, raw);
    file_ = raw.string() + extension_by_content(raw);
    fs::rename(raw, file_);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    throw;
  }
}

StreamInput::~StreamInput() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace divker
