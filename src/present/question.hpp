// What can be asked of a model. A question is one file of src/present/questions and a line in
// questions(): the command has a subcommand for it, Python's core a function.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "divker/sampling.hpp"
#include "present/reply.hpp"
#include "present/request.hpp"

namespace divker::present {

// A question being asked: its options, filled in by a visitor, and then its answer.
class Request {
 public:
  virtual ~Request() = default;
  virtual void describe_to(OptionVisitor& visit) = 0;
  // Derives, compiles, runs and estimates. The session brings the stop flag and the progress;
  // threads, blocks and the checkpoint are the request's. Error(usage) for a request that
  // contradicts itself, and the errors of the library's functions.
  [[nodiscard]] virtual Reply reply(const Model& model, const Session& session) const = 0;
  // The file where the run is saved; empty: none.
  [[nodiscard]] virtual std::string checkpoint() const = 0;
};

struct Question {
  std::string name;     // of the subcommand, and of the function
  std::string summary;  // in the list of subcommands
  bool has_file;        // its table is worth --out
  std::function<std::unique_ptr<Request>()> ask;
};

// The question whose requests are structs with `describe` and `reply_to`.
template <class Options>
[[nodiscard]] Question question(std::string name, std::string summary, bool has_file = true) {
  class Asking : public Request {
   public:
    void describe_to(OptionVisitor& visit) override { describe(options_, visit); }
    [[nodiscard]] Reply reply(const Model& model, const Session& session) const override {
      return reply_to(options_, model, session);
    }
    [[nodiscard]] std::string checkpoint() const override {
      if constexpr (std::derived_from<Options, SavedRequest>) return options_.checkpoint;
      return {};
    }

   private:
    Options options_;
  };
  return {std::move(name), std::move(summary), has_file, [] { return std::make_unique<Asking>(); }};
}

// answer(request), the request with its points read from their file, and what was remarked there.
template <class Options, class Answer>
[[nodiscard]] Reply with_points_read(Options request, const Model& model, Answer answer) {
  std::vector<Warning> warnings;
  request.at = points_read(request.at, model, warnings);
  Reply reply = answer(request);
  std::vector<Warning>& all = reply.record.warnings;
  all.insert(all.begin(), warnings.begin(), warnings.end());
  return reply;
}

// All of them, in the order of the help. More can be added before they are asked for.
[[nodiscard]] std::vector<Question>& questions();

}  // namespace divker::present
