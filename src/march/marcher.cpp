#include "divker/marcher.hpp"

#include <fmt/format.h>

#include <map>

#include "divker/error.hpp"

namespace divker {
namespace {

// The arrays that are there, with their widths, as the programs of a path make them.
class Arrays {
 public:
  void check(const Program& program, const char* which) const {
    for (const Argument& argument : program.arguments) {
      if (argument.role != Role::carried) continue;
      const auto found = widths_.find(argument.name);
      if (found == widths_.end()) {
        throw Error(ErrorKind::usage,
                    fmt::format("The {} of a path is called with the array '{}', which no program "
                                "before it makes.",
                                which, argument.name));
      }
      if (found->second == argument.inputs.size()) continue;
      throw Error(ErrorKind::usage,
                  fmt::format("The {} of a path takes {} numbers of the array '{}', which has {}.",
                              which, argument.inputs.size(), argument.name, found->second));
    }
  }
  void make(const Program& program) {
    for (const Result& result : program.results) widths_[result.name] = result.values.size();
  }
  void make(const Inversion& inversion) {
    widths_[inversion.inverse] = inversion.dimension * inversion.dimension;
  }

 private:
  std::map<std::string, std::size_t> widths_;
};

}  // namespace

void check_arrays(const Plan& plan) {
  Arrays arrays;
  const auto visit = [&arrays](const Program& program, const char* which) {
    arrays.check(program, which);
    arrays.make(program);
  };
  visit(plan.start.program, "start");
  if (plan.first) visit(*plan.first, "first step");
  for (const Stage& stage : plan.step) {
    visit(stage.program, "step");
    if (stage.inversion) arrays.make(*stage.inversion);
  }
}

}  // namespace divker
