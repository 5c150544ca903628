// Machine code in memory.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "jit/codegen.hpp"
#include "jit/schedule.hpp"

namespace divker::jit {

// The chunks of a schedule, loaded into this process for as long as the object lives.
class NativeCode {
 public:
  // Throws Error(numerical) where LLVM refuses.
  NativeCode(const Schedule& schedule, std::size_t lanes);
  ~NativeCode();
  NativeCode(const NativeCode&) = delete;
  NativeCode& operator=(const NativeCode&) = delete;

  [[nodiscard]] const std::vector<ChunkFunction>& step_chunks() const { return step_chunks_; }
  [[nodiscard]] const std::vector<ChunkFunction>& path_chunks() const { return path_chunks_; }

 private:
  struct Session;
  std::unique_ptr<Session> session_;
  std::vector<ChunkFunction> step_chunks_;
  std::vector<ChunkFunction> path_chunks_;
};

// The greatest number of lanes, of 2, 4 and 8, that this machine's instruction set serves.
[[nodiscard]] std::size_t native_lanes();

[[nodiscard]] std::string llvm_ir(const Schedule& schedule, std::size_t lanes);
[[nodiscard]] std::string assembly(const Schedule& schedule, std::size_t lanes);

}  // namespace divker::jit
