// The score, the gradient of the log density, at points.
#include "present/question.hpp"
#include "present/questions/law.hpp"

namespace divker::present {
namespace {

struct ScoreRequest : LawRequest {};

Reply score(const ScoreRequest& request, const Model& model, const Session& session) {
  if (request.stationary) {
    const StationaryPointAnswer found =
        stationary_score_at(model, given_points(request), stationary_options(request, session));
    return at_points(request, model, "score", {}, found.answer, &found.stationary);
  }
  const AnswerOptions options = options_of_law(request, session);
  return at_points(request, model, "score", {},
                   score_at(model, points_of(request, model, options), options));
}

Reply reply_to(const ScoreRequest& request, const Model& model, const Session& session) {
  check_fokker_planck(request, model);
  return with_points_read(request, model,
                          [&](const ScoreRequest& whole) { return score(whole, model, session); });
}

}  // namespace

Question score_question() {
  return question<ScoreRequest>("score", "Score, the gradient of the log density, at points");
}

}  // namespace divker::present
