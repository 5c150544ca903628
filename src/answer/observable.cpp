#include "answer/observable.hpp"

#include <algorithm>
#include <span>

#include "divker/language.hpp"

namespace divker {

Observable::Observable(const Model& model, const std::vector<std::size_t>& parameters,
                       const std::string& text)
    : model_(model), graph_(*model.graph()) {
  const Expression phi = parse_expression(text, model, graph_);
  std::vector<Expression> gamma;
  gamma.reserve(parameters.size());
  for (const std::size_t p : parameters) gamma.push_back(graph_.at(model.parameters()[p].node));
  roots_.push_back(phi.id());
  for (const Expression& part : gradient(phi, gamma)) {
    explicit_part_ = explicit_part_ || !part.is_zero();
    roots_.push_back(part.id());
  }
}

Observable::Values Observable::operator()(const Matrix& x, double time) const {
  std::vector<std::vector<double>> storage;
  std::vector<std::span<const double>> columns(graph_.input_count());
  storage.reserve(model_.dimension());
  const std::vector<double> parameters = model_.parameter_values();
  for (std::size_t i = 0; i < model_.dimension(); ++i) {
    storage.push_back(x.column(i));
    columns[graph_.node(model_.states()[i].node).a] = storage.back();
  }
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    columns[graph_.node(model_.parameters()[p].node).a] = {&parameters[p], 1};
  }
  columns[graph_.node(model_.time_input()).a] = {&time, 1};
  const auto values = evaluate_columns(graph_, roots_, columns, x.rows);
  Values result{values.front(), {}};
  if (explicit_part_) {
    result.explicit_part = Matrix(x.rows, values.size() - 1);
    for (std::size_t p = 1; p < values.size(); ++p) {
      for (std::size_t r = 0; r < x.rows; ++r) result.explicit_part(r, p - 1) = values[p][r];
    }
  }
  return result;
}

bool Observable::depends_on_time() const {
  return std::ranges::binary_search(reachable(graph_, roots_), model_.time_input());
}

std::unique_ptr<Collector::Part> ObservableCollector::empty_part() const {
  auto part = std::make_unique<Sums>();
  part->sums = ResponseAccumulator(sums_.parameters());
  return part;
}

std::unique_ptr<Collector::Part> ObservableCollector::reduce(PathGroup group) const {
  auto part = std::make_unique<Sums>();
  part->sums = ResponseAccumulator(sums_.parameters());
  const Matrix& x = group.x.back();
  if (x.rows != 0) {
    const Observable::Values values = observable_(x, time_);
    part->sums.add(values.phi, group.responses.back(), values.explicit_part);
  }
  return part;
}

void ObservableCollector::absorb(std::unique_ptr<Part> part) {
  sums_.merge(static_cast<const Sums&>(*part).sums);
}

}  // namespace divker
