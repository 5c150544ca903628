#include "fit/training/response_sums.hpp"

#include <utility>

#include "divker/model_function.hpp"
#include "estimate/products.hpp"

namespace divker::fit {
namespace {

// Of one block.
struct BlockSums {
  double count = 0.0;
  Matrix functions;  // 1 x functions
  Matrix responses;  // 1 x parameters
  Matrix squares;    // of the responses
  Matrix products;   // functions x parameters

  void operator+=(const BlockSums& other) {
    count += other.count;
    for (const auto member : {&BlockSums::functions, &BlockSums::responses, &BlockSums::squares,
                              &BlockSums::products}) {
      Matrix& here = this->*member;
      const Matrix& more = other.*member;
      if (here.data.empty()) here = Matrix(more.rows, more.cols);
      for (std::size_t i = 0; i < more.data.size(); ++i) here.data[i] += more.data[i];
    }
  }
  void transfer(Archive& archive) { archive(count, functions, responses, squares, products); }
};

void transfer_sums(std::vector<BlockSums>& sums, Archive& archive) {
  for (BlockSums& one : sums) one.transfer(archive);
}

auto view_of(Matrix& m) {
  return Eigen::Map<RowMajor>(m.data.data(), static_cast<Eigen::Index>(m.rows),
                              static_cast<Eigen::Index>(m.cols));
}

BlockSums sums_of(const RowMajor& g, Matrix responses) {
  const auto k = static_cast<std::size_t>(g.cols());
  const std::size_t parameters = responses.cols;
  BlockSums sums{static_cast<double>(responses.rows), Matrix(1, k), Matrix(1, parameters),
                 Matrix(1, parameters), Matrix(k, parameters)};
  const auto values = view_of(responses);
  view_of(sums.functions) = g.colwise().sum();
  view_of(sums.responses) = values.colwise().sum();
  view_of(sums.squares) = values.array().square().colwise().sum();
  add_product({g.data(), k, responses.rows}, {responses.data.data(), parameters, responses.rows},
              sums.products.data.data(), false, 1);
  return sums;
}

struct SumsPart : Collector::Part {
  explicit SumsPart(std::size_t count) : sums(count) {}
  void transfer(Archive& archive) override { transfer_sums(sums, archive); }
  std::vector<BlockSums> sums;
};

class SumCollector : public Collector {
 public:
  SumCollector(const Observer& observer, const Study& study,
               const std::vector<Functions>& functions)
      : observer_(observer),
        observations_(observer.at(study.model())),
        seed_(study.sampling().seed),
        functions_(functions),
        sums_(functions.size()) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<SumsPart>(0);
    std::vector<ObservedHalf> seen = observer_.see(observations_, group, seed_);
    for (std::size_t b = 0; b < seen.size(); ++b) {
      part->sums.push_back(sums_of(functions_[b](seen[b].y), std::move(seen[b].responses)));
    }
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    const auto& from = static_cast<const SumsPart&>(*part).sums;
    for (std::size_t b = 0; b < sums_.size(); ++b) sums_[b] += from[b];
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<SumsPart>(sums_.size());
  }
  void transfer(Archive& archive) override { transfer_sums(sums_, archive); }

  [[nodiscard]] std::vector<BlockSums>& sums() { return sums_; }

 private:
  const Observer& observer_;
  ModelFunction observations_;
  std::uint64_t seed_;
  const std::vector<Functions>& functions_;
  std::vector<BlockSums> sums_;
};

}  // namespace

ResponseSums sum_responses(const Observer& observer, Study& study,
                           const std::vector<Functions>& functions) {
  SumCollector collector(observer, study, functions);
  ResponseSums result;
  result.summary = study.run(collector, "covariances of responses");
  if (result.summary.interrupted) return result;
  for (BlockSums& sums : collector.sums()) {
    const double n = sums.count;
    const Eigen::VectorXd g = view_of(sums.functions).transpose() / n;
    const Eigen::RowVectorXd mean = view_of(sums.responses) / n;
    RowMajor& covariance = result.covariance.emplace_back(view_of(sums.products) / n);
    covariance.noalias() -= g * mean;
    result.variance.emplace_back(
        (view_of(sums.squares).array() / n - mean.array().square()).max(0.0).transpose().matrix());
  }
  return result;
}

}  // namespace divker::fit
