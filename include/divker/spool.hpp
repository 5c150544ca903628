// Numbers kept on disk until all of them are known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace divker {

// A growing list of numbers in a file. Results that do not fit into memory wait there for what a
// file must say before its first row: how many there are, and how the run went.
// Errors: Error(usage) with the system's reason where the file cannot be written, Error(model)
// where a file to go on from is none or too short. Cost: the disk's.
class Spool {
 public:
  // An unnamed file in the folder of `target`, which messages name; gone with the process,
  // however it ends.
  [[nodiscard]] static Spool unnamed(const std::filesystem::path& target);
  // The named file, which stays, and is left as it is until append() or cut(). One process at a
  // time. A file that is there and is no spool is refused.
  [[nodiscard]] static Spool named(const std::filesystem::path& path);
  ~Spool();
  Spool(Spool&&) noexcept;
  Spool& operator=(Spool&&) noexcept;
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  [[nodiscard]] std::uint64_t size() const;  // numbers
  void append(std::span<const double> values);
  // Keeps the first `size` numbers alone.
  void cut(std::uint64_t size);
  // They survive a loss of power.
  void sync();
  void read(std::uint64_t at, std::span<double> values) const;

 private:
  struct Implementation;
  explicit Spool(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace divker
