// The smallest question that is of some use: the share of paths that end below a level.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

#include "divker/error.hpp"
#include "divker/study.hpp"
#include "present/question.hpp"

namespace divker::test {

struct ToyRequest : present::RunRequest {
  double level = 0.0;
};

inline void describe(ToyRequest& r, present::OptionVisitor& visit) {
  describe(static_cast<present::RunRequest&>(r), visit);
  visit(present::Option("level", "Paths that end below it are counted", "X").shown(), r.level);
}

inline present::Reply reply_to(const ToyRequest& request, const Model& model,
                               const Session& session) {
  if (model.dimension() != 1) {
    throw Error(ErrorKind::usage, fmt::format("The toy asks models of one state; model {} has {}.",
                                              model.name(), model.dimension()));
  }
  Method method;
  method.scheme = parse_scheme(request.scheme);
  Study study(model, method, Asked::states(), present::sampling_of(request),
              present::session_of(request, session));
  const Paths paths = study.run();
  const Matrix x = paths.snapshots.back().x();
  double below = 0.0;
  for (const double value : x.data) below += value < request.level ? 1.0 : 0.0;
  const auto count = static_cast<double>(x.rows);
  const double share = below / count;
  const double error = std::sqrt(share * (1.0 - share) / count);

  present::Reply reply{model, study.record(), {}, {}, {}, {}};
  reply.answer.set("share", share);
  reply.answer.set("stderr", error);
  reply.how_made.set("level", request.level);
  reply.table.columns = {"share", "stderr"};
  reply.table.values = Matrix(1, 2);
  reply.table.values.data = {share, error};
  reply.text = fmt::format("share below {:.6g}: {:.6g} +- {:.2g}\n", request.level, share, error);
  return reply;
}

inline present::Question toy_question() {
  return present::question<ToyRequest>("below", "The share of paths that end below a level");
}

}  // namespace divker::test
