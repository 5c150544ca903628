#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "divker/expression.hpp"

namespace divker {

std::vector<double> evaluate(const Graph& graph, std::span<const NodeId> roots,
                             std::span<const double> inputs) {
  std::unordered_map<NodeId, double> values;
  for (const NodeId id : reachable(graph, roots)) {
    const Node& node = graph.node(id);
    switch (node.op) {
      case Op::constant:
        values[id] = node.value;
        break;
      case Op::input:
        values[id] = inputs[node.a];
        break;
      default:
        values[id] =
            apply(node.op, values.at(node.a), is_binary(node.op) ? values.at(node.b) : 0.0);
    }
  }
  std::vector<double> result;
  result.reserve(roots.size());
  for (const NodeId id : roots) result.push_back(values.at(id));
  return result;
}

double evaluate(Expression f, std::span<const double> inputs) {
  const NodeId root = f.id();
  return evaluate(f.graph(), {&root, 1}, inputs).front();
}

namespace {

// An operation of a column program: where its operands and its result lie.
struct Instruction {
  Op op = Op::constant;
  std::size_t a = 0;
  std::size_t b = 0;
  std::size_t out = 0;
};

// Rows are treated in blocks, so that what is computed stays near the processor.
constexpr std::size_t block_rows = 256;

// What the loops over rows of one operation come to. Sums and products, of which there are most,
// are written so that the compiler makes vectors of them; the values are those of apply().
void act(const Instruction& i, const double* a, const double* b, double* out, std::size_t rows) {
  switch (i.op) {
    case Op::add:
      for (std::size_t r = 0; r < rows; ++r) out[r] = a[r] + b[r];
      break;
    case Op::sub:
      for (std::size_t r = 0; r < rows; ++r) out[r] = a[r] - b[r];
      break;
    case Op::mul:
      for (std::size_t r = 0; r < rows; ++r) out[r] = a[r] * b[r];
      break;
    case Op::div:
      for (std::size_t r = 0; r < rows; ++r) out[r] = a[r] / b[r];
      break;
    default:
      for (std::size_t r = 0; r < rows; ++r) out[r] = apply(i.op, a[r], b[r]);
  }
}

// The operations behind the roots, with places for their values that are used again once nobody
// needs what lies there. The same number in all rows is computed once.
class ColumnProgram {
 public:
  ColumnProgram(const Graph& graph, std::span<const NodeId> roots,
                std::span<const std::span<const double>> columns)
      : roots_(roots.begin(), roots.end()), nodes_(reachable(graph, roots)) {
    for (std::size_t n = 0; n < nodes_.size(); ++n) numbers_[nodes_[n]] = n;
    uniform_.resize(nodes_.size(), 0.0);
    is_uniform_.resize(nodes_.size(), true);
    places_.resize(nodes_.size(), 0);
    count_uses(graph);
    for (std::size_t n = 0; n < nodes_.size(); ++n) add(graph, n, columns);
  }

  [[nodiscard]] std::vector<std::vector<double>> run(std::size_t count) {
    std::vector<std::vector<double>> result(roots_.size(), std::vector<double>(count));
    buffer_.resize(places_in_use_ * block_rows);
    for (const auto& [place, value] : filled_) {
      std::fill_n(at(place), block_rows, value);
    }
    for (std::size_t first = 0; first < count; first += block_rows) {
      const std::size_t rows = std::min(block_rows, count - first);
      for (const auto& [place, column] : loaded_) {
        std::copy_n(column.begin() + static_cast<std::ptrdiff_t>(first), rows, at(place));
      }
      for (const Instruction& i : instructions_) act(i, at(i.a), at(i.b), at(i.out), rows);
      for (std::size_t k = 0; k < roots_.size(); ++k) {
        const std::size_t n = numbers_.at(roots_[k]);
        double* out = result[k].data() + first;
        if (is_uniform_[n]) {
          std::fill_n(out, rows, uniform_[n]);
        } else {
          std::copy_n(at(places_[n]), rows, out);
        }
      }
    }
    return result;
  }

 private:
  [[nodiscard]] double* at(std::size_t place) { return buffer_.data() + place * block_rows; }

  void count_uses(const Graph& graph) {
    uses_.resize(nodes_.size(), 0);
    for (const NodeId id : nodes_) {
      const Node& node = graph.node(id);
      if (is_leaf(node.op)) continue;
      ++uses_[numbers_.at(node.a)];
      if (is_binary(node.op)) ++uses_[numbers_.at(node.b)];
    }
    for (const NodeId id : roots_) ++uses_[numbers_.at(id)];
  }

  std::size_t new_place() {
    if (free_.empty()) return places_in_use_++;
    const std::size_t place = free_.back();
    free_.pop_back();
    return place;
  }

  // What is the same in all rows gets a place of its own where a column meets it.
  std::size_t place_of(std::size_t n) {
    if (!is_uniform_[n] || places_[n] != 0) return places_[n];
    places_[n] = places_in_use_++;
    filled_.emplace_back(places_[n], uniform_[n]);
    return places_[n];
  }

  void release(std::size_t n, bool is_kept) {
    if (--uses_[n] == 0 && !is_kept) free_.push_back(places_[n]);
  }

  void add(const Graph& graph, std::size_t n, std::span<const std::span<const double>> columns) {
    const Node& node = graph.node(nodes_[n]);
    if (node.op == Op::constant) {
      uniform_[n] = node.value;
      return;
    }
    if (node.op == Op::input) {
      const std::span<const double> column = columns[node.a];
      is_uniform_[n] = column.size() == 1;
      if (is_uniform_[n]) {
        uniform_[n] = column.front();
      } else {
        places_[n] = places_in_use_++;
        loaded_.emplace_back(places_[n], column);
        is_loaded_.insert(n);
      }
      return;
    }
    const std::size_t a = numbers_.at(node.a);
    const std::size_t b = is_binary(node.op) ? numbers_.at(node.b) : a;
    is_uniform_[n] = is_uniform_[a] && is_uniform_[b];
    if (is_uniform_[n]) {
      uniform_[n] = apply(node.op, uniform_[a], is_binary(node.op) ? uniform_[b] : 0.0);
      return;
    }
    const std::size_t place_a = place_of(a);
    const std::size_t place_b = place_of(b);
    places_[n] = new_place();  // not that of an operand, so that the loops are free to be vectors
    release(a, is_uniform_[a] || is_loaded_.contains(a));
    if (is_binary(node.op)) release(b, is_uniform_[b] || is_loaded_.contains(b));
    instructions_.push_back({node.op, place_a, place_b, places_[n]});
  }

  std::vector<NodeId> roots_;
  std::vector<NodeId> nodes_;
  std::unordered_map<NodeId, std::size_t> numbers_;  // of a node among nodes_
  std::vector<std::size_t> uses_;                    // still to come
  std::vector<double> uniform_;
  std::vector<bool> is_uniform_;
  std::unordered_set<std::size_t> is_loaded_;
  std::vector<std::size_t> places_;
  std::vector<std::size_t> free_;
  std::size_t places_in_use_ = 1;  // place 0 is nobody's
  std::vector<std::pair<std::size_t, double>> filled_;
  std::vector<std::pair<std::size_t, std::span<const double>>> loaded_;
  std::vector<Instruction> instructions_;
  std::vector<double> buffer_;
};

}  // namespace

std::vector<std::vector<double>> evaluate_columns(const Graph& graph, std::span<const NodeId> roots,
                                                  std::span<const std::span<const double>> columns,
                                                  std::size_t count) {
  return ColumnProgram(graph, roots, columns).run(count);
}

std::size_t operation_count(const Graph& graph, std::span<const NodeId> roots) {
  const std::vector<NodeId> nodes = reachable(graph, roots);
  return static_cast<std::size_t>(std::count_if(
      nodes.begin(), nodes.end(), [&graph](NodeId id) { return !is_leaf(graph.node(id).op); }));
}

}  // namespace divker
