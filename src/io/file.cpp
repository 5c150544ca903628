#include "divker/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "divker/error.hpp"
#include "io/reading.hpp"
#include "io/writing.hpp"

namespace divker {
namespace {

namespace fs = std::filesystem;

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
    fail_writing(path, system_reason(errno));
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
  std::array<char, std::size_t{1} << 16U> block{};
  while (stream) {
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    bytes.append(block.data(), static_cast<std::size_t>(stream.gcount()));
    check_size(bytes.size());
  }
  if (stream.bad()) fail_reading(path, system_reason(errno));
  if (bytes.empty()) fail_reading(path, "it is empty");
  return bytes;
}

// The folder of a target, and what the names of its temporary files begin and end with.
constexpr std::string_view temporary_end = ".part";
std::string temporary_begin(const fs::path& target) {
  return "." + target.filename().string() + ".";
}

}  // namespace

std::string system_reason(int code) { return std::generic_category().message(code); }

void fail_writing(const fs::path& path, const std::string& why) {
  throw Error(ErrorKind::usage, fmt::format("cannot write '{}': {}", path.string(), why));
}

Descriptor::~Descriptor() { close(); }

int Descriptor::close() { return number_ < 0 ? 0 : ::close(std::exchange(number_, -1)); }

void write_all(const Descriptor& file, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_writing(path, system_reason(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void fail_reading(const fs::path& path, const std::string& why) {
  throw Error(ErrorKind::model, fmt::format("cannot read '{}': {}", path.string(), why));
}

void check_text(std::string_view text, const fs::path& path) {
  if (text.empty()) fail_reading(path, "it is empty");
  if (text.find('\0') != std::string_view::npos) {
    fail_reading(path, "it is not a text file (it holds a NUL byte)");
  }
}

std::ifstream open_to_read(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) fail_reading(path, code ? code.message() : "No such file or directory");
  if (fs::is_directory(status)) fail_reading(path, "it is a folder");
  if (!fs::is_regular_file(status)) fail_reading(path, "it is not a regular file");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail_reading(path, system_reason(errno));
  return stream;
}

StagedFile::StagedFile(const fs::path& target) : target_(resolved(target)) {
  static std::atomic<unsigned> counter{0};
  check_target(target_);
  temporary_ = folder_of(target_) / fmt::format("{}{}-{}{}", temporary_begin(target_), ::getpid(),
                                                counter.fetch_add(1), temporary_end);
  const Descriptor file(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file.open()) fail_writing(target_, system_reason(errno));
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
    fail_writing(target_, system_reason(errno));
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0)
    fail_writing(target_, system_reason(errno));
  committed_ = true;
  // The name is durable only once the folder is; a folder that cannot be opened is no failure.
  const Descriptor folder(::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.open()) ::fsync(folder.number());
}

struct OutputFile::Implementation {
  explicit Implementation(const fs::path& path_) : path(path_) {
    if (!is_device(path)) staged.emplace(path);
    const fs::path& place = staged ? staged->temporary() : path;
    file.emplace(::open(place.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file->open()) fail_writing(path, system_reason(errno));
  }

  fs::path path;
  std::optional<StagedFile> staged;
  std::optional<Descriptor> file;
};

OutputFile::OutputFile(const fs::path& path)
    : implementation_(std::make_unique<Implementation>(path)) {}
OutputFile::~OutputFile() = default;

void OutputFile::write(std::string_view bytes) {
  write_all(*implementation_->file, bytes, implementation_->path);
}

void OutputFile::commit() {
  if (implementation_->file->close() != 0)
    fail_writing(implementation_->path, system_reason(errno));
  if (implementation_->staged) implementation_->staged->commit();
}

void remove_abandoned(const fs::path& target) {
  const fs::path file = resolved(target);
  const std::string begin = temporary_begin(file);
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_of(file), ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(begin) || !name.ends_with(temporary_end)) continue;
    pid_t process = 0;
    const char* last = name.data() + name.size();
    const auto [end, error] = std::from_chars(name.data() + begin.size(), last, process);
    if (error != std::errc() || *end != '-' || process <= 0) continue;
    if (::kill(process, 0) != 0 && errno == ESRCH) fs::remove(entry.path(), ignored);
  }
}

void write_whole_file(const fs::path& path, std::string_view bytes) {
  OutputFile file(path);
  file.write(bytes);
  file.commit();
}

void check_writable(const fs::path& path) {
  if (is_device(path)) return check_target(path);
  const StagedFile staged(path);
}

std::string read_text_file(const fs::path& path, std::size_t limit) {
  std::string text = read_file(path, limit);
  check_text(text, path);
  return text;
}

std::string read_binary_file(const fs::path& path, std::size_t limit) {
  return read_file(path, limit);
}

}  // namespace divker
