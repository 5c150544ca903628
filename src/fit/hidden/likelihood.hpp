// The likelihood of records as a function of the parameters: by the extended Kalman filter, and by
// guided paths.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "divker/model.hpp"
#include "fit/hidden/guide.hpp"
#include "fit/hidden/particles.hpp"
#include "fit/hidden/records.hpp"

namespace divker::fit {

// log densities of rows given those before, record after record.
using LogDensities = Eigen::VectorXd;

class SeriesLikelihood {
 public:
  virtual ~SeriesLikelihood() = default;
  // At new values of all parameters, with whatever is chosen there.
  [[nodiscard]] virtual LogDensities at(const std::vector<double>& parameters) = 0;
  // At values near them, with the same choices: smooth in the parameters. From any thread.
  [[nodiscard]] virtual LogDensities near(const std::vector<double>& parameters) const = 0;
};

class FilterLikelihood : public SeriesLikelihood {
 public:
  FilterLikelihood(const GuidedKernels& kernels, const std::vector<SeenRecord>& records)
      : kernels_(kernels), records_(records) {}
  [[nodiscard]] LogDensities at(const std::vector<double>& parameters) override {
    return near(parameters);
  }
  [[nodiscard]] LogDensities near(const std::vector<double>& parameters) const override;

 private:
  const GuidedKernels& kernels_;
  const std::vector<SeenRecord>& records_;
};

class PathLikelihood : public SeriesLikelihood {
 public:
  PathLikelihood(const GuidedKernels& kernels, std::vector<SeenRecord> records, std::size_t paths,
                 std::uint64_t seed, std::size_t threads);
  [[nodiscard]] LogDensities at(const std::vector<double>& parameters) override;
  [[nodiscard]] LogDensities near(const std::vector<double>& parameters) const override;

  // With other random numbers, and from the references of another: where they are, the search for
  // them is short.
  void set_seed(std::uint64_t seed) { seed_ = seed; }
  void start_from(const PathLikelihood& other) { references_ = other.references_; }
  [[nodiscard]] const std::vector<SeenRecord>& records() const { return records_; }
  [[nodiscard]] std::size_t paths() const { return paths_; }
  // The least effective number of paths at a row, of the last at().
  [[nodiscard]] double smallest_sample() const { return smallest_sample_; }

 private:
  [[nodiscard]] Eigen::MatrixXd reference(const GuidedKernels::Bound& bound,
                                          std::size_t record) const;

  const GuidedKernels& kernels_;
  std::vector<SeenRecord> records_;
  std::size_t paths_;
  std::uint64_t seed_;
  std::size_t threads_;
  std::vector<Eigen::MatrixXd> references_;
  std::vector<Choices> choices_;
  double smallest_sample_ = 0.0;
};

// Score and information by differences, in the coordinates of bounds.hpp.
struct Ascent {
  double value = 0.0;
  Eigen::MatrixXd terms;  // P x rows: scores of rows given those before
  [[nodiscard]] Eigen::VectorXd score() const { return terms.rowwise().sum(); }
  [[nodiscard]] Eigen::MatrixXd squares() const { return terms * terms.transpose(); }
};

class Differences {
 public:
  Differences(const Model& model, const std::vector<std::size_t>& active, std::size_t threads)
      : model_(model), active_(active), threads_(threads) {}

  // `steps`: of each parameter, in free coordinates.
  [[nodiscard]] Ascent score(const SeriesLikelihood& likelihood, const LogDensities& base,
                             const std::vector<double>& parameters,
                             const Eigen::VectorXd& steps) const;
  // - second differences along the columns of `directions`, scaled by them.
  [[nodiscard]] Eigen::MatrixXd curvature(const SeriesLikelihood& likelihood,
                                          const LogDensities& base,
                                          const std::vector<double>& parameters,
                                          const Eigen::MatrixXd& directions) const;

 private:
  const Model& model_;
  const std::vector<std::size_t>& active_;
  std::size_t threads_;
};

}  // namespace divker::fit
