#pragma once
// Our own loop: a host of ours on its data, with AdamW, clipping by global norm and a
// warm-up, stable, decay schedule. One integer decides every random number.
#include "gpu/checkpoint_file.hpp"
#include "gpu/disturbance.hpp"
#include "gpu/loss_curve.hpp"
#include "gpu/replica_group.hpp"
#include "gpu/session.hpp"
#include "gpu/training_data.hpp"
#include "messages/interfaces.hpp"

namespace esper {

class Trainer final : public Training {
 public:
  /// Errors: std::runtime_error, one sentence, when data is missing, the host is unknown, or the
  /// checkpoint to resume from is damaged or of another run.
  explicit Trainer(const TrainingRequest& request);

  [[nodiscard]] const HostDescription& host() const override { return host_->description(); }
  [[nodiscard]] Executor* executor() override { return exchange_.get(); }
  [[nodiscard]] std::optional<CheckpointPlace> resumed() const override;
  [[nodiscard]] Catalogue assess(const std::vector<Blueprint>& blueprints) override;
  [[nodiscard]] TrainingEnd run(const std::atomic<bool>& stop,
                                const std::function<void(const TrainingProgress&)>& tell) override;

  [[nodiscard]] std::string write_model(const std::string& file,
                                        const std::string& structure) override;

  /// Seconds of one forward pass in evaluation mode over `samples` of the gate split.
  [[nodiscard]] double time_forward(std::size_t samples);
  [[nodiscard]] std::uint32_t batch() const { return config_.training.batch; }
  [[nodiscard]] HostModel& model() { return *host_; }
  void lose(const std::string& node) override;

 private:
  [[nodiscard]] SessionData session_data();
  [[nodiscard]] std::uint64_t step() const;
  [[nodiscard]] std::vector<torch::nn::Module*> modules() const;
  void train_step();
  void clip();
  // Of several replicas.
  void come_together();
  void say(const std::string& sentence) const;
  void regroup();
  void step_together();
  void share_state();
  [[nodiscard]] Progress progress();
  [[nodiscard]] CheckpointContent standing();
  void stand_as(const CheckpointContent& content);
  void begin_together();
  void average_bare();
  void finish_together();
  [[nodiscard]] bool ended(const std::atomic<bool>& stop) const;
  [[nodiscard]] TrainedModel report_model();
  void plant(const std::vector<PlantedSeed>& seeds);
  void read_cut(const std::string& file);
  [[nodiscard]] std::string hash_of(const CheckpointManifest& cut) const;
  void go_on_bare();
  [[nodiscard]] SeedBed* bed();
  /// Share of the targets correct and mean loss in nats per target, host in evaluation mode.
  [[nodiscard]] std::pair<double, double> evaluate(const Batch& samples);

  RunConfig config_;
  std::string arm_, checkpoints_;
  Mode mode_;
  std::unique_ptr<TrainingData> data_;
  std::unique_ptr<HostModel> host_;
  Disturbances disturbances_;
  std::unique_ptr<TurnExchange> exchange_;  // null in mode off
  std::vector<Blueprint> blueprints_;
  std::vector<std::shared_ptr<Seed>> planted_;  // part of the host from the first step on
  std::unique_ptr<torch::optim::AdamW> optimizer_;
  std::unique_ptr<Session> session_;      // null in mode off
  std::optional<CheckpointContent> cut_;  // that `run` goes on from
  std::unique_ptr<SeedBed> bare_bed_;     // in mode off, of such a cut: what fossilised before it
  OperationCount operations_before_;      // likewise
  std::uint64_t steps_{}, own_steps_{};
  Batch batch_, whole_;  // this replica's share; that of all
  double loss_{};
  LossCurve curve_;
  // Of several replicas; null: it trains alone.
  std::optional<ReplicaPlace> place_;
  std::function<void(const std::string&)> tell_;  // may be empty
  std::mutex group_lock_;                         // for `lose`
  std::unique_ptr<ReplicaGroup> group_;
  std::unique_ptr<Replicas> replicas_;
  std::uint32_t source_{};  // rank of the one whose state the newest group takes
  const std::atomic<bool>* stop_{};
  StepUndo bare_undo_;  // without a session
  std::uint64_t bare_ticks_{};
  bool bare_step_{};
};

}  // namespace esper
