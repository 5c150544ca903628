// Programs of a step for paths that differ in time, dt and damping, as those of transitions do.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "divker/kernel.hpp"
#include "divker/program.hpp"
#include "numbers/aligned_array.hpp"

namespace divker::fit {

// A compiled program whose time, step size and schedule are arrays of paths, "t", "dt" and
// "damping", beside those that it carries.
class PathProgram {
 public:
  using Names = std::vector<std::pair<std::string, std::string>>;
  // `renamed`: arrays that go by other names in a PathBlock.
  explicit PathProgram(Program program, const Names& renamed = {}, std::size_t chunk = 0);

  [[nodiscard]] std::vector<double> bind(const std::vector<double>& parameters) const;

  struct Port {
    std::string array;  // empty: the random numbers of the step
    std::size_t width = 0;
    bool replaces = false;  // a result in whose place an argument stands
  };
  [[nodiscard]] const std::vector<Port>& arguments() const { return arguments_; }
  [[nodiscard]] const std::vector<Port>& results() const { return results_; }
  [[nodiscard]] const Kernel& kernel() const { return *kernel_; }

 private:
  std::vector<Port> arguments_;
  std::vector<Port> results_;
  std::shared_ptr<const Kernel> kernel_;
};

// Some paths that advance together, by the arrays that programs share.
class PathBlock {
 public:
  // Paths up to the next multiple of the lanes; component c of path p of an array of width w stands
  // at place(p, c, w).
  PathBlock(std::size_t paths, std::size_t lanes);

  [[nodiscard]] std::size_t paths() const { return vectors_ * lanes_; }
  [[nodiscard]] std::size_t vectors() const { return vectors_; }
  [[nodiscard]] std::size_t lanes() const { return lanes_; }
  [[nodiscard]] std::size_t place(std::size_t path, std::size_t component,
                                  std::size_t width) const {
    return (path / lanes_ * width + component) * lanes_ + path % lanes_;
  }

  // A program with its arrays of this block, which are made where they are not there yet.
  struct Call {
    const PathProgram* program = nullptr;
    std::vector<double> constants;
    std::vector<std::size_t> arguments;  // none: the random numbers
    std::vector<std::size_t> results;
  };
  [[nodiscard]] Call prepare(const PathProgram& program, std::vector<double> constants);
  void operator()(const Call& call, const double* noise);

  // Zero at first.
  [[nodiscard]] double* array(const std::string& name, std::size_t width);

 private:
  struct Array {
    std::string name;
    std::array<numbers::AlignedArray, 2> buffers;
    std::size_t current = 0;
  };
  [[nodiscard]] std::size_t number_of(const std::string& name, std::size_t width);
  [[nodiscard]] double* now(std::size_t array) {
    return arrays_[array].buffers[arrays_[array].current].data();
  }

  std::size_t lanes_;
  std::size_t vectors_;
  std::vector<Array> arrays_;
  numbers::AlignedArray scratch_;
  std::size_t largest_scratch_ = 0;
  std::vector<const double*> from_;
  std::vector<double*> to_;
};

}  // namespace divker::fit
