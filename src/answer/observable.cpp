#include "answer/observable.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "answer/questions.hpp"
#include "answer/tails.hpp"
#include "divker/language.hpp"
#include "divker/model_kinks.hpp"

namespace divker {

namespace {

constexpr const char* finite_difference_sees_it =
    "The method finite-difference sees what happens there.";

// Phi, and its derivatives if any of them is not zero.
ModelFunction function_of(const Model& model, const std::vector<std::size_t>& parameters,
                          const std::string& text) {
  const auto graph = std::make_shared<Graph>(*model.graph());
  const Expression phi = parse_expression(text, model, *graph);
  std::vector<Expression> gamma;
  gamma.reserve(parameters.size());
  for (const std::size_t p : parameters) gamma.push_back(graph->at(model.parameters()[p].node));
  std::vector<NodeId> roots{phi.id()};
  bool explicit_part = false;
  for (const Expression& part : gradient(phi, gamma)) {
    explicit_part = explicit_part || !part.is_zero();
    roots.push_back(part.id());
  }
  if (!explicit_part) roots.resize(1);
  return {model, graph, std::move(roots)};
}

}  // namespace

Observable::Observable(const Model& model, const std::vector<std::size_t>& parameters,
                       const std::string& text)
    : function_(function_of(model, parameters, text)) {
  if (const auto why = refusal_for_jumps(model, parameters, text)) throw Error(*why);
}

std::optional<Error> refusal_for_jumps(const Model& model,
                                       const std::vector<std::size_t>& parameters,
                                       const std::string& text) {
  if (parameters.empty()) return std::nullopt;
  Graph graph(*model.graph());
  const Expression phi = parse_expression(text, model, graph);
  for (const ModelKink& kink : observable_kinks(model, text, phi)) {
    if (kink.kind != KinkKind::jump) continue;
    for (const std::size_t p : parameters) {
      if (!kink.is_moved_by({&p, 1})) continue;
      return Error(ErrorKind::model,
                   fmt::format("{} The place moves with {}. {}", kink.sentence(),
                               model.parameters()[p].name, finite_difference_sees_it));
    }
  }
  return std::nullopt;
}

Observable::Values Observable::operator()(const Matrix& x, double time) const {
  const auto values = function_.at_rows({&time, 1}, x);
  Values result{values.front(), {}};
  if (values.size() > 1) {
    result.explicit_part = Matrix(x.rows, values.size() - 1);
    for (std::size_t p = 1; p < values.size(); ++p) {
      for (std::size_t r = 0; r < x.rows; ++r) result.explicit_part(r, p - 1) = values[p][r];
    }
  }
  return result;
}

std::unique_ptr<Collector::Part> ObservableCollector::empty_part() const {
  auto part = std::make_unique<Sums>();
  part->sums = ResponseAccumulator(sums_.parameters());
  return part;
}

std::unique_ptr<Collector::Part> ObservableCollector::reduce(PathGroup group) const {
  auto part = std::make_unique<Sums>();
  part->sums = ResponseAccumulator(sums_.parameters());
  const Snapshot& last = group.snapshots.back();
  if (last.x().rows != 0) {
    const Observable::Values values = observable_(last.x(), time_);
    part->sums.add(values.phi, last.responses(), values.explicit_part);
  }
  return part;
}

void ObservableCollector::absorb(std::unique_ptr<Part> part) {
  sums_.merge(static_cast<const Sums&>(*part).sums);
}

ObservableAnswer response_of_mean(Study& study, const Observable& phi, const std::string& text) {
  const std::vector<std::size_t>& parameters = study.plan().asked.wrt;
  const double time = study.model().time().snapshot_times(study.sampling().snapshots).back();
  ObservableCollector collector(phi, parameters.size(), time);
  require_paths(study.run(collector, "response of the mean of " + text));
  ObservableResponse result = collector.result();
  ObservableAnswer answer{result.value, parameter_names(study.model(), parameters),
                          std::move(result.response), collector.tail_indices(), study.record()};
  warn_of_tails(answer, TailAdvice::of_mean(answer.record));
  return answer;
}

namespace {

ResponseAccumulator sums_of(const Observable& phi, const Snapshot& snapshot) {
  const Observable::Values values = phi(snapshot.x(), snapshot.time);
  ResponseAccumulator sums(snapshot.responses().cols);
  sums.add(values.phi, snapshot.responses(), values.explicit_part);
  return sums;
}

}  // namespace

Tuning tuning_of_mean(const Observable& phi) {
  Tuning tuning;
  tuning.may_learn = false;
  tuning.measure = [&phi](const Snapshot& snapshot) {
    std::vector<double> variances;
    for (const Estimate& response : sums_of(phi, snapshot).result().response) {
      variances.push_back(std::pow(response.standard_error, 2));
    }
    return variances;
  };
  tuning.tails = [&phi](const Snapshot& snapshot) { return sums_of(phi, snapshot).tail_indices(); };
  return tuning;
}

}  // namespace divker
