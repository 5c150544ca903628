#include "divker/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "divker/error.hpp"
#include "divker/file.hpp"
#include "io/reading.hpp"
#include "io/writing.hpp"

namespace divker {
namespace {

constexpr std::string_view spool_magic = "divker rows 1\n\n\n";
static_assert(spool_magic.size() % sizeof(double) == 0);

off_t place_of(std::uint64_t number) {
  return static_cast<off_t>(spool_magic.size() + number * sizeof(double));
}

}  // namespace

struct Spool::Implementation {
  Implementation(std::filesystem::path path_, int descriptor)
      : path(std::move(path_)), file(descriptor) {
    if (!file.open()) fail_writing(path, system_reason(errno));
  }

  [[nodiscard]] std::uint64_t bytes() const {
    struct stat status {};
    if (::fstat(file.number(), &status) != 0) fail_reading(path, system_reason(errno));
    return static_cast<std::uint64_t>(status.st_size);
  }

  void cut(std::uint64_t numbers) {
    if (::ftruncate(file.number(), place_of(numbers)) != 0 ||
        ::lseek(file.number(), place_of(numbers), SEEK_SET) < 0) {
      fail_writing(path, system_reason(errno));
    }
    size = numbers;
  }

  void begin() {
    if (::lseek(file.number(), 0, SEEK_SET) < 0) fail_writing(path, system_reason(errno));
    write_all(file, spool_magic, path);
    cut(0);
  }

  std::filesystem::path path;
  Descriptor file;
  std::uint64_t size = 0;
};

Spool::Spool(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Spool::~Spool() = default;
Spool::Spool(Spool&&) noexcept = default;
Spool& Spool::operator=(Spool&&) noexcept = default;

Spool Spool::unnamed(const std::filesystem::path& target) {
  const StagedFile staged(target);  // its name goes with this object, the open file stays
  auto opened = std::make_unique<Implementation>(
      target, ::open(staged.temporary().c_str(), O_RDWR | O_CLOEXEC));
  opened->begin();
  return Spool(std::move(opened));
}

Spool Spool::named(const std::filesystem::path& path) {
  auto opened = std::make_unique<Implementation>(
      path, ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (::flock(opened->file.number(), LOCK_EX | LOCK_NB) != 0) {
    fail_writing(path, "another process is writing it");
  }
  const std::uint64_t bytes = opened->bytes();
  std::string head(std::min<std::uint64_t>(bytes, spool_magic.size()), ' ');
  if (::pread(opened->file.number(), head.data(), head.size(), 0) !=
      static_cast<ssize_t>(head.size())) {
    fail_reading(path, system_reason(errno));
  }
  if (!spool_magic.starts_with(head)) {
    fail_reading(path, "it is there already, and holds no rows of a run");
  }
  if (bytes < spool_magic.size()) {
    opened->begin();
  } else {
    opened->size = (bytes - spool_magic.size()) / sizeof(double);
    if (::lseek(opened->file.number(), place_of(opened->size), SEEK_SET) < 0) {
      fail_reading(path, system_reason(errno));
    }
  }
  return Spool(std::move(opened));
}

std::uint64_t Spool::size() const { return implementation_->size; }

void Spool::append(std::span<const double> values) {
  write_all(implementation_->file,
            {reinterpret_cast<const char*>(values.data()), values.size_bytes()},
            implementation_->path);
  implementation_->size += values.size();
}

void Spool::cut(std::uint64_t size) {
  if (size > implementation_->size) {
    fail_reading(implementation_->path, fmt::format("{} numbers should be there, but {} are", size,
                                                    implementation_->size));
  }
  implementation_->cut(size);
}

void Spool::sync() {
  if (::fdatasync(implementation_->file.number()) != 0) {
    fail_writing(implementation_->path, system_reason(errno));
  }
}

void Spool::read(std::uint64_t at, std::span<double> values) const {
  char* into = reinterpret_cast<char*>(values.data());
  std::size_t left = values.size_bytes();
  off_t place = place_of(at);
  while (left > 0) {
    const ssize_t got = ::pread(implementation_->file.number(), into, left, place);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_reading(implementation_->path, system_reason(errno));
    if (got == 0) fail_reading(implementation_->path, "it ends too early");
    into += got;
    place += got;
    left -= static_cast<std::size_t>(got);
  }
}

}  // namespace divker
