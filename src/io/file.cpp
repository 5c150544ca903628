#include "divker/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "divker/error.hpp"
#include "io/reading.hpp"

namespace divker {
namespace {

namespace fs = std::filesystem;

std::string reason(int code) { return std::generic_category().message(code); }

[[noreturn]] void fail_writing(const fs::path& path, const std::string& why) {
  throw Error(ErrorKind::usage, fmt::format("cannot write '{}': {}", path.string(), why));
}

// A file descriptor that closes itself; close() reports what the last writes met.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool open() const { return number_ >= 0; }
  int close() { return number_ < 0 ? 0 : ::close(std::exchange(number_, -1)); }

 private:
  int number_;
};

void write_all(const Descriptor& file, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_writing(path, reason(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

fs::path folder_of(const fs::path& path) {
  const fs::path folder = path.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

// The file behind a symbolic link, so that replacing it leaves the link.
fs::path resolved(const fs::path& path) {
  std::error_code ignored;
  const fs::path target = fs::canonical(path, ignored);
  return ignored ? path : target;
}

void check_target(const fs::path& path) {
  if (path.empty()) throw Error(ErrorKind::usage, "cannot write a file: its name is empty");
  std::error_code ignored;
  if (!path.has_filename() || fs::is_directory(path, ignored)) {
    fail_writing(path, "it is a folder");
  }
  const fs::path folder = folder_of(path);
  if (!fs::exists(folder, ignored)) {
    fail_writing(path, fmt::format("the folder '{}' does not exist", folder.string()));
  }
  if (fs::exists(path, ignored) && ::access(path.c_str(), W_OK) != 0) {
    fail_writing(path, reason(errno));
  }
}

bool is_device(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

std::string read_file(const fs::path& path, std::size_t limit) {
  std::ifstream stream = open_to_read(path);
  const auto check_size = [&](std::uintmax_t size) {
    if (size <= limit) return;
    fail_reading(path, fmt::format("it is larger than the limit of {} bytes", limit));
  };
  const std::uintmax_t size = fs::file_size(path);
  check_size(size);
  std::string bytes;
  bytes.reserve(size);
  std::array<char, std::size_t{1} << 16U> block;
  while (stream) {
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    bytes.append(block.data(), static_cast<std::size_t>(stream.gcount()));
    check_size(bytes.size());
  }
  if (stream.bad()) fail_reading(path, reason(errno));
  if (bytes.empty()) fail_reading(path, "it is empty");
  return bytes;
}

}  // namespace

void fail_reading(const fs::path& path, const std::string& why) {
  throw Error(ErrorKind::model, fmt::format("cannot read '{}': {}", path.string(), why));
}

std::ifstream open_to_read(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) fail_reading(path, code ? code.message() : "No such file or directory");
  if (fs::is_directory(status)) fail_reading(path, "it is a folder");
  if (!fs::is_regular_file(status)) fail_reading(path, "it is not a regular file");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail_reading(path, reason(errno));
  return stream;
}

StagedFile::StagedFile(const fs::path& target) : target_(resolved(target)) {
  static std::atomic<unsigned> counter{0};
  check_target(target_);
  temporary_ = folder_of(target_) / fmt::format(".{}.{}-{}.part", target_.filename().string(),
                                                ::getpid(), counter.fetch_add(1));
  const Descriptor file(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file.open()) fail_writing(target_, reason(errno));
  struct stat old {};
  if (::stat(target_.c_str(), &old) == 0) {
    // Best effort: a foreign file system may know no permissions.
    [[maybe_unused]] const int kept = ::fchmod(file.number(), old.st_mode & 07777U);
  }
}

StagedFile::~StagedFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void StagedFile::commit() {
  Descriptor file(::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open() || ::fsync(file.number()) != 0 || file.close() != 0) {
    fail_writing(target_, reason(errno));
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail_writing(target_, reason(errno));
  committed_ = true;
  // The name is durable only once the folder is; a folder that cannot be opened is no failure.
  const Descriptor folder(::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.open()) ::fsync(folder.number());
}

void write_whole_file(const fs::path& path, std::string_view bytes) {
  const auto write_to = [&](const fs::path& place) {
    Descriptor file(::open(place.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.open()) fail_writing(path, reason(errno));
    write_all(file, bytes, path);
    if (file.close() != 0) fail_writing(path, reason(errno));
  };
  if (is_device(path)) return write_to(path);
  StagedFile staged(path);
  write_to(staged.temporary());
  staged.commit();
}

void check_writable(const fs::path& path) {
  if (is_device(path)) return check_target(path);
  const StagedFile staged(path);
}

std::string read_text_file(const fs::path& path, std::size_t limit) {
  std::string text = read_file(path, limit);
  if (text.find('\0') != std::string::npos) {
    fail_reading(path, "it is not a text file (it holds a NUL byte)");
  }
  return text;
}

std::string read_binary_file(const fs::path& path, std::size_t limit) {
  return read_file(path, limit);
}

}  // namespace divker
