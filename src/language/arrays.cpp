#include "language/arrays.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <span>

#include "model/names.hpp"

namespace divker {
namespace {

template <class F>
Array by_component(const Array& a, const Array& b, const char* what, F&& act) {
  if (a.shape != b.shape) {
    refuse(fmt::format("The shapes differ: {} and {} cannot be {}.", in_words(a.shape),
                       in_words(b.shape), what));
  }
  Array result{a.shape, {}};
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    result.values.push_back(act(a.values[i], b.values[i]));
  }
  return result;
}

template <class F>
Array each(const Array& a, F&& act) {
  Array result{a.shape, {}};
  std::ranges::transform(a.values, std::back_inserter(result.values), act);
  return result;
}

Array of_matrix(const Array& a, const Array& b) {
  const std::size_t inner = a.shape[1];
  if (b.shape.front() != inner) {
    refuse(fmt::format(
        "The shapes do not fit: {} cannot be multiplied by {}; its rows have {} components.",
        in_words(a.shape), in_words(b.shape), inner));
  }
  const std::size_t columns = b.shape.size() == 2 ? b.shape[1] : 1;
  Array result{b.shape, {}};
  result.shape.front() = a.shape.front();
  Graph& graph = a.values.front().graph();
  for (std::size_t i = 0; i < a.shape.front(); ++i) {
    for (std::size_t k = 0; k < columns; ++k) {
      std::vector<Expression> column;
      for (std::size_t j = 0; j < inner; ++j) column.push_back(b.values[j * columns + k]);
      result.values.push_back(dot(graph, std::span(a.values).subspan(i * inner, inner), column));
    }
  }
  return result;
}

}  // namespace

std::string in_words(const Shape& shape) {
  if (shape.empty()) return "a number";
  if (shape.size() == 1) return fmt::format("a vector of {}", shape.front());
  return fmt::format("a matrix of {} x {}", shape[0], shape[1]);
}

Array sum(const Array& a, const Array& b) { return by_component(a, b, "added", std::plus<>()); }

Array difference(const Array& a, const Array& b) {
  return by_component(a, b, "subtracted", std::minus<>());
}

Array negative(const Array& a) { return each(a, std::negate<>()); }

Array product(const Array& a, const Array& b) {
  if (a.is_number()) return each(b, [&](Expression x) { return a.values.front() * x; });
  if (b.is_number()) return each(a, [&](Expression x) { return x * b.values.front(); });
  if (a.shape.size() == 2) return of_matrix(a, b);
  refuse(
      fmt::format("The shapes do not fit: {} cannot be multiplied by {}; write dot(a, b) for the "
                  "sum of products of two vectors, or a let with an index.",
                  in_words(a.shape), in_words(b.shape)));
}

Array quotient(const Array& a, const Array& b) {
  if (!b.is_number()) {
    refuse(fmt::format("The shapes do not fit: {} cannot be divided by {}, only by a number.",
                       in_words(a.shape), in_words(b.shape)));
  }
  return each(a, [&](Expression x) { return x / b.values.front(); });
}

Array dot(const Array& a, const Array& b) {
  if (a.shape.size() != 1 || a.shape != b.shape) {
    refuse(fmt::format("dot(a, b) takes two vectors of one length, not {} and {}.",
                       in_words(a.shape), in_words(b.shape)));
  }
  return {{}, {dot(a.values.front().graph(), a.values, b.values)}};
}

Array mapped(const FunctionInfo& function, const Array& a) {
  return each(a, [&](Expression x) { return function.make(std::span(&x, 1)); });
}

Array row(const Array& a, std::size_t i) {
  if (a.shape.size() == 1) return {{}, {a.values[i]}};
  const auto begin = a.values.begin() + static_cast<std::ptrdiff_t>(i * a.shape[1]);
  return {{a.shape[1]}, {begin, begin + static_cast<std::ptrdiff_t>(a.shape[1])}};
}

}  // namespace divker
