// Answers at points, from the paths of a study: the regression of what was asked on x.
#pragma once

#include <vector>

#include "divker/answer.hpp"
#include "divker/matrix.hpp"
#include "divker/study.hpp"

namespace divker {

// E[I | x = y] where the study has responses, else E[nu | x = y], at the last snapshot. Runs the
// study once.
[[nodiscard]] PointAnswer conditional_means(Study& study, const Matrix& points,
                                            const AnswerOptions& options);

// The part of the variances of I, else of nu, that x does not explain: what a pilot makes small for
// answers at points.
[[nodiscard]] std::vector<double> variances_at_points(const Snapshot& snapshot);
// The tail indices of that part.
[[nodiscard]] std::vector<double> tails_at_points(const Snapshot& snapshot);
// What a pilot is told for answers at points.
[[nodiscard]] Tuning tuning_at_points();

// End points of at most 4096 of the paths.
[[nodiscard]] Matrix small_sample(const Model& model, const Sampling& sampling,
                                  const Session& session);

}  // namespace divker
