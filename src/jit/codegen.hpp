// LLVM IR for the chunks of a schedule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "jit/schedule.hpp"

namespace llvm {
class LLVMContext;
class Module;
}  // namespace llvm

namespace divker::jit {

// What a chunk becomes. Step chunks fill `steps`; path chunks treat the vectors first ...
// first + count - 1, with the slots of vector `first` at `slots` and those of the next behind them.
using ChunkFunction = void (*)(const double* constants, const double* const* arguments,
                               double* const* results, std::uint64_t first, std::uint64_t count,
                               double* steps, double* slots);

// Doubles that one entry of the tables of constants and of step-rate values takes: with AVX-512
// arithmetic instructions broadcast a scalar in memory for nothing; narrower ones want a vector.
[[nodiscard]] constexpr std::size_t entry_width(std::size_t lanes) {
  return lanes == 8 ? 1 : lanes;
}

// "divker_path_12"
[[nodiscard]] std::string chunk_name(Rate rate, std::size_t number);

// The chunks numbered begin ... end - 1, where step chunks are counted before path chunks.
[[nodiscard]] std::unique_ptr<llvm::Module> emit_module(llvm::LLVMContext& context,
                                                        const Schedule& schedule, std::size_t lanes,
                                                        std::size_t begin, std::size_t end);

}  // namespace divker::jit
