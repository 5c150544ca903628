#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "divker/error.hpp"
#include "divker/pilot.hpp"
#include "divker/state_coordinates.hpp"
#include "divker/step.hpp"
#include "tune/tuners.hpp"

namespace divker {
namespace {

constexpr std::size_t pilot_paths = 2048;
constexpr std::size_t knots = 64;

// Steps at which covariances are taken: dense at the start, where they change like t.
std::vector<std::size_t> knot_steps(std::size_t steps) {
  std::vector<std::size_t> chosen;
  for (std::size_t k = 0; k < knots; ++k) {
    const double u = static_cast<double>(k) / static_cast<double>(knots - 1);
    const double even = 1.0 + u * static_cast<double>(steps - 1);
    const double geometric = std::pow(static_cast<double>(steps), u);
    for (const double position : {even, geometric}) {
      chosen.push_back(std::min(steps, static_cast<std::size_t>(std::lround(position))));
    }
  }
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

// Sums over the paths of x, x x^T and the noisy rows of S S^T at each knot, in the coordinates of
// the step: the logarithms or roots of states with a range.
class CovarianceCollector : public Collector {
 public:
  CovarianceCollector(const Model& model, const std::vector<double>& times)
      : model_(model),
        coordinates_(coordinates(model)),
        times_(times),
        sums_(times.size(), Sums(model.dimension())) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<GroupSums>();
    const auto dimension = static_cast<Eigen::Index>(model_.dimension());
    for (std::size_t k = 0; k < times_.size(); ++k) {
      Sums sums(model_.dimension());
      Matrix& states = group.snapshots[k].table(state_array);
      // The noise matrix is a slow reference evaluation: a few paths of each group tell enough.
      for (std::size_t r = 0; r < states.rows; r += noise_stride) {
        sums.noise += covariance_of_noise(states.row(r), times_[k]);
        sums.noise_count += 1.0;
      }
      take_coordinates(states);
      using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
      const Eigen::Map<const RowMajor> x(states.data.data(), static_cast<Eigen::Index>(states.rows),
                                         dimension);
      sums.count = static_cast<double>(x.rows());
      sums.x = x.colwise().sum();
      sums.xx = x.transpose() * x;
      part->sums.push_back(std::move(sums));
    }
    return part;
  }

  void absorb(std::unique_ptr<Part> part) override {
    const auto& from = static_cast<const GroupSums&>(*part).sums;
    for (std::size_t k = 0; k < sums_.size(); ++k) sums_[k].add(from[k]);
  }

  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    auto part = std::make_unique<GroupSums>();
    part->sums.assign(times_.size(), Sums(model_.dimension()));
    return part;
  }
  void transfer(Archive& archive) override {
    for (Sums& sums : sums_) sums.transfer(archive);
  }

  // A at knot k.
  [[nodiscard]] Matrix damping_matrix(std::size_t k) const {
    const Sums& s = sums_[k];
    const Eigen::VectorXd mean = s.x / s.count;
    const Eigen::MatrixXd covariance = s.xx / s.count - mean * mean.transpose();
    const Eigen::MatrixXd noise = s.noise / s.noise_count;
    const Eigen::LDLT<Eigen::MatrixXd> factors(covariance);
    if (factors.info() != Eigen::Success || !(factors.vectorD().minCoeff() > 0.0)) {
      throw Error(ErrorKind::numerical,
                  "Gaussian damping is not possible here: the covariance of the paths at t = " +
                      std::to_string(times_[k]) + " is singular.");
    }
    const Eigen::MatrixXd a = factors.solve(noise).transpose();
    Matrix rows;
    rows.cols = model_.dimension();
    for (std::size_t i = 0; i < model_.dimension(); ++i) {
      if (!model_.noisy()[i]) continue;
      for (std::size_t j = 0; j < rows.cols; ++j) {
        rows.data.push_back(a(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)));
      }
      ++rows.rows;
    }
    return rows;
  }

 private:
  static constexpr std::size_t noise_stride = 32;

  struct Sums {
    explicit Sums(std::size_t dimension)
        : x(Eigen::VectorXd::Zero(static_cast<Eigen::Index>(dimension))),
          xx(Eigen::MatrixXd::Zero(x.size(), x.size())),
          noise(Eigen::MatrixXd::Zero(x.size(), x.size())) {}
    void add(const Sums& other) {
      count += other.count;
      noise_count += other.noise_count;
      x += other.x;
      xx += other.xx;
      noise += other.noise;
    }
    void transfer(Archive& archive) {
      archive(count, noise_count);
      const auto numbers = [&archive](auto& values) {
        archive(std::span(values.data(), static_cast<std::size_t>(values.size())));
      };
      numbers(x);
      numbers(xx);
      numbers(noise);
    }
    double count = 0.0;
    double noise_count = 0.0;
    Eigen::VectorXd x;
    Eigen::MatrixXd xx;
    Eigen::MatrixXd noise;
  };
  struct GroupSums : Part {
    void transfer(Archive& archive) override {
      for (Sums& each : sums) each.transfer(archive);
    }
    std::vector<Sums> sums;
  };

  void take_coordinates(Matrix& x) const {
    for (std::size_t i = 0; i < x.cols; ++i) {
      if (coordinates_[i] == nullptr) continue;
      for (std::size_t r = 0; r < x.rows; ++r) x(r, i) = coordinates_[i]->at_state(x(r, i));
    }
  }

  [[nodiscard]] Eigen::MatrixXd covariance_of_noise(std::span<const double> x, double t) const {
    Matrix s = model_.noise_matrix(x, t);
    for (std::size_t i = 0; i < s.rows; ++i) {
      if (coordinates_[i] == nullptr) continue;
      for (double& amplitude : s.row(i)) amplitude /= coordinates_[i]->stretch(x[i]);
    }
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::Map<const RowMajor> noise(s.data.data(), static_cast<Eigen::Index>(s.rows),
                                           static_cast<Eigen::Index>(s.cols));
    return noise * noise.transpose();
  }

  const Model& model_;
  std::vector<std::shared_ptr<const Coordinate>> coordinates_;
  const std::vector<double>& times_;
  std::vector<Sums> sums_;
};

}  // namespace

tune::Tuned tune::tune_gaussian(const Model& model, const Sampling& sampling,
                                const Session& session) {
  const Ensemble ensemble(model, {}, Asked::states(), session.marcher);
  const std::size_t last = model.time().snapshot_steps(sampling.snapshots).back();
  Sampling pilot = sampling;
  pilot.paths = pilot_paths;
  pilot.failed_share = 1.0;
  pilot.snapshots.clear();
  for (const std::size_t step : knot_steps(last)) {
    pilot.snapshots.push_back(model.time().time(step));
  }
  CovarianceCollector collector(model, pilot.snapshots);
  (void)ensemble.run(pilot, collector, session.aside());
  std::vector<Matrix> matrices;
  for (std::size_t k = 0; k < pilot.snapshots.size(); ++k) {
    matrices.push_back(collector.damping_matrix(k));
  }
  return {matrix_damping(pilot.snapshots, std::move(matrices)), ensemble.compile_seconds()};
}

Damping gaussian_damping(const Model& model, const Sampling& sampling, const Session& session) {
  return tune::tune_gaussian(model, sampling, session).damping;
}

}  // namespace divker
