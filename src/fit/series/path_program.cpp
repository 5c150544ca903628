#include "fit/series/path_program.hpp"

#include <algorithm>
#include <span>

namespace divker::fit {
namespace {

constexpr std::size_t no_array = static_cast<std::size_t>(-1);

// What differs from path to path is carried.
Role role_among_paths(Role role) {
  const bool varies = role == Role::time || role == Role::step_size || role == Role::schedule;
  return varies ? Role::carried : role;
}

std::string renamed_array(const std::string& name, const PathProgram::Names& renamed) {
  const auto found =
      std::ranges::find_if(renamed, [&name](const auto& pair) { return pair.first == name; });
  return found == renamed.end() ? name : found->second;
}

}  // namespace

PathProgram::PathProgram(Program program, const Names& renamed, std::size_t chunk) {
  for (Argument& argument : program.arguments) {
    argument.role = role_among_paths(argument.role);
    argument.name = renamed_array(argument.name, renamed);
    if (argument.role == Role::parameters) {
      arguments_.push_back({});
      continue;
    }
    const bool is_noise = argument.role == Role::noise;
    arguments_.push_back({is_noise ? "" : argument.name, argument.inputs.size(), false});
  }
  for (Result& result : program.results) {
    result.name = renamed_array(result.name, renamed);
    const bool is_read = std::ranges::any_of(
        arguments_, [&result](const Port& port) { return port.array == result.name; });
    results_.push_back(
        {result.name, result.values.size(), is_read && result.fate == Fate::replaced});
  }
  kernel_ = Kernel::compile(program, {0, chunk});
}

std::vector<double> PathProgram::bind(const std::vector<double>& parameters) const {
  const std::span<const double> values(parameters);
  return kernel_->bind({&values, 1});
}

PathBlock::PathBlock(std::size_t paths, std::size_t lanes)
    : lanes_(lanes), vectors_((paths + lanes - 1) / lanes) {}

std::size_t PathBlock::number_of(const std::string& name, std::size_t width) {
  const auto found = std::ranges::find(arrays_, name, &Array::name);
  if (found != arrays_.end()) return static_cast<std::size_t>(found - arrays_.begin());
  Array& made = arrays_.emplace_back();
  made.name = name;
  for (auto& buffer : made.buffers) buffer.resize(paths() * width);
  return arrays_.size() - 1;
}

double* PathBlock::array(const std::string& name, std::size_t width) {
  return now(number_of(name, width));
}

PathBlock::Call PathBlock::prepare(const PathProgram& program, std::vector<double> constants) {
  Call call{&program, std::move(constants), {}, {}};
  for (const PathProgram::Port& port : program.arguments()) {
    call.arguments.push_back(port.array.empty() ? no_array : number_of(port.array, port.width));
  }
  for (const PathProgram::Port& port : program.results()) {
    call.results.push_back(number_of(port.array, port.width));
  }
  largest_scratch_ = std::max({largest_scratch_, program.kernel().scratch_size(), std::size_t{1}});
  scratch_.resize(largest_scratch_);
  return call;
}

void PathBlock::operator()(const Call& call, const double* noise) {
  from_.clear();
  to_.clear();
  for (const std::size_t number : call.arguments) {
    from_.push_back(number == no_array ? noise : now(number));
  }
  const std::vector<PathProgram::Port>& results = call.program->results();
  for (std::size_t r = 0; r < results.size(); ++r) {
    Array& array = arrays_[call.results[r]];
    const std::size_t buffer = results[r].replaces ? 1 - array.current : array.current;
    to_.push_back(array.buffers[buffer].data());
  }
  const Kernel& kernel = call.program->kernel();
  kernel(call.constants.data(), from_.data(), to_.data(), vectors_, scratch_.data());
  for (std::size_t r = 0; r < results.size(); ++r) {
    if (!results[r].replaces) continue;
    Array& array = arrays_[call.results[r]];
    array.current = 1 - array.current;
  }
}

}  // namespace divker::fit
