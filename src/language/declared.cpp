#include "language/declared.hpp"

#include <fmt/format.h>

namespace divker {
namespace {

[[noreturn]] void wrong_list(const Source& source, const Statement& s, const Shape& list,
                             const Shape& shape) {
  const std::string& name = s.declarators.front().name;
  const std::size_t offset = s.values.front().offset;
  if (list.size() == 1 && shape.size() == 1) {
    source.fail(offset, fmt::format("{} has {} components, but the list has {} values.", name,
                                    shape.front(), list.front()));
  }
  if (list.size() == 2) {
    source.fail(offset, fmt::format("The list has {} rows of {} values, but {} is {}.", list[0],
                                    list[1], name, in_words(shape)));
  }
  source.fail(offset, fmt::format("{0} is {1}, but the list has {2} values; a matrix is written by "
                                  "rows, as in [[1, 2], [3, 4]].",
                                  name, in_words(shape), list.front()));
}

void set_ends(const Source& source, Expander& expander, const Declarator& d,
              const std::vector<std::optional<Syntax>>& list, double Range::*end,
              std::vector<Range>& bounds, std::size_t n) {
  if (list.empty()) return;
  if (list.size() != n) {
    source.fail(d.offset, fmt::format("{} has {} component{}, but its list of bounds has {}.",
                                      d.name, n, n == 1 ? "" : "s", list.size()));
  }
  bounds.resize(n, bounds.front());
  for (std::size_t i = 0; i < n; ++i) {
    if (list[i]) bounds[i].*end = expander.number(*list[i]);
  }
}

}  // namespace

std::size_t size_of(const Shape& shape) {
  std::size_t n = 1;
  for (const std::size_t part : shape) n *= part;
  return n;
}

std::size_t declared_length(const Source& source, Expander& expander, const std::string& name,
                            const Syntax& size) {
  const long long n = expander.integer(size, "length of the vector");
  if (n < 1 || static_cast<std::size_t>(n) > source.limits.vector_length) {
    source.fail(size.offset, fmt::format("The length of {} is {}; it must be from 1 to {}.", name,
                                         n, source.limits.vector_length));
  }
  return static_cast<std::size_t>(n);
}

Shape declared_shape(const Source& source, Expander& expander, const Statement& s) {
  const Declarator& d = s.declarators.front();
  Shape shape;
  if (d.size) shape.push_back(declared_length(source, expander, d.name, *d.size));
  if (d.columns) shape.push_back(declared_length(source, expander, d.name, *d.columns));
  if (!d.size && s.is_list) {
    shape = {s.values.size()};
    if (s.row_length > 0) shape = {s.values.size() / s.row_length, s.row_length};
  }
  if (size_of(shape) > source.limits.vector_length) {
    source.fail(s.offset, d.columns ? fmt::format("{} has {} components; the limit is {}.", d.name,
                                                  size_of(shape), source.limits.vector_length)
                                    : fmt::format("The list has {} values; the limit is {}.",
                                                  size_of(shape), source.limits.vector_length));
  }
  return shape;
}

std::vector<double> declared_numbers(const Source& source, Expander& expander, const Statement& s,
                                     const Shape& shape) {
  std::vector<double> values;
  for (const Syntax& value : s.values) values.push_back(expander.number(value));
  if (!s.is_list) {
    values.resize(size_of(shape), values.front());
    return values;
  }
  Shape list{values.size()};
  if (s.row_length > 0) list = {values.size() / s.row_length, s.row_length};
  if (list != shape) wrong_list(source, s, list, shape);
  return values;
}

Range declared_range(Expander& expander, const std::optional<Syntax>& lower,
                     const std::optional<Syntax>& upper) {
  Range range;
  if (lower) range.lower = expander.number(*lower);
  if (upper) range.upper = expander.number(*upper);
  return range;
}

std::vector<Range> declared_bounds(const Source& source, Expander& expander, const Statement& s,
                                   std::size_t n) {
  std::vector<Range> bounds{declared_range(expander, s.lower, s.upper)};
  const Declarator& d = s.declarators.front();
  set_ends(source, expander, d, s.lower_list, &Range::lower, bounds, n);
  set_ends(source, expander, d, s.upper_list, &Range::upper, bounds, n);
  return bounds;
}

}  // namespace divker
