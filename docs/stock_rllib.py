"""Stock RLlib PPO on this project's game: both seats are played by one policy. Needs the extra `train`."""

from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.connectors.env_to_module import FlattenObservations

from envs.multi_agent import RllibGame

config = (
    PPOConfig()
    .environment(RllibGame, env_config={"stages": ("FINAL_DESTINATION",), "stocks": 1, "time_limit_s": 60})
    .env_runners(
        num_env_runners=0,
        num_envs_per_env_runner=8,
        env_to_module_connector=lambda env, spaces, device: FlattenObservations(multi_agent=True),
    )
    .training(train_batch_size=1024, minibatch_size=512, num_epochs=2, lr=3e-4)
    .multi_agent(policies={"fox"}, policy_mapping_fn=lambda agent_id, episode, **kwargs: "fox")
)

if __name__ == "__main__":
    algorithm = config.build_algo()
    for iteration in range(3):
        result = algorithm.train()
        print(iteration, result["num_env_steps_sampled_lifetime"], "env frames")
    algorithm.stop()
