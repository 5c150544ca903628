// Native code for a Program: one call advances a whole block of paths, W paths to a vector.
//
// Compiled by LLVM for the machine it runs on: 8 lanes with AVX-512, 4 with AVX2, else 2.
// Elementary functions are SLEEF's: exp, pow, erf within 1.0 ulp; log, sin, cos, tan, tanh, sinh,
// cosh, atan within 3.5 ulp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "divker/program.hpp"

namespace divker {

struct KernelOptions {
  std::size_t lanes = 0;  // 2, 4 or 8; 0 chooses for the host
  // Nodes per native function: longer programs are cut, because the time that LLVM takes for one
  // block grows faster than its length. 0 chooses the measured optimum.
  std::size_t chunk = 0;
};

// Lanes that the host's instruction set suggests; the environment variable DIVKER_LANES (2, 4, 8)
// overrides it, for tests.
[[nodiscard]] std::size_t host_lanes();

// Compiled code. Immutable, safe to use from several threads.
class Kernel {
 public:
  static constexpr std::size_t most_operations = 500'000;  // of a program: about a minute
  // Compiles, or returns the code compiled earlier in this process for an equal program. Values of
  // arguments are no part of the program, so that new parameters compile nothing.
  // Cost: about 0.1 ms a node, once. Throws Error(model) beyond
  // most_operations and Error(numerical) where LLVM refuses.
  [[nodiscard]] static std::shared_ptr<const Kernel> compile(const Program& program,
                                                             const KernelOptions& options = {});
  // How many programs this process has compiled so far (not counting those found again).
  [[nodiscard]] static std::size_t compilations();
  [[nodiscard]] static double total_compile_seconds();

  ~Kernel();
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  [[nodiscard]] std::size_t lanes() const;
  [[nodiscard]] double compile_seconds() const;
  // Doubles of working memory that a thread must bring to operator().
  [[nodiscard]] std::size_t scratch_size() const;
  // LLVM IR and assembly of the code, for tests and for the curious. Compiles anew: slow.
  [[nodiscard]] std::string llvm_ir() const;
  [[nodiscard]] std::string assembly() const;

  // Everything that depends on arguments of rate `run` only, evaluated once. run_values holds one
  // span per argument of rate run, in their order in the program.
  [[nodiscard]] std::vector<double> bind(std::span<const std::span<const double>> run_values) const;

  // One call. `constants` from bind(). arguments[i] belongs to the program's i-th argument: for
  // rate step an array of its components; for rate path an array laid out
  // [vector][component][lane]; for rate run it is ignored. results[i] is laid out
  // [vector][component][lane] and must not overlap any argument. All path arrays are aligned to 64
  // bytes.
  void operator()(const double* constants, const double* const* arguments, double* const* results,
                  std::size_t vectors, double* scratch) const;

 private:
  struct Implementation;
  explicit Kernel(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace divker
