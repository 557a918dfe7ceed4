"""What Prometheus and Grafana are told: every name in the dashboard is one that this code or Ray reports."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import ray
import yaml
from ray.dashboard.modules.metrics.dashboards import default_dashboard_panels

from exphil_league.observe import metric_names as names
from exphil_league.observe.ray_metrics import RayMetrics, series_of
from exphil_league.rl.drift import METRICS as PLAY_METRICS
from exphil_league.rl.metrics import PLAYER_METRICS, IterationTimes, run_metrics
from exphil_league.rl.sampler import SampleStats

CLUSTER = Path(__file__).parents[2] / "cluster"


def reported() -> set[str]:
    """Metrics that a run reports, as Prometheus names them."""
    played = SampleStats(env_frames=1, games=1, game_frames=1, sample_s=1.0)
    league = {value for value in vars(names).values() if isinstance(value, str) and value.startswith("league/")}
    slashed = {f"rl/{name}" for name in run_metrics(played, IterationTimes(1.0, 1.0, 2.0), 1)}
    slashed |= {f"rl/main/{name}" for name in (*PLAYER_METRICS, *PLAY_METRICS)} | league
    slashed |= {f"{names.WIN_RATE}fighter", f"{names.WARNINGS_OF_KIND}timer"}
    return {f"ray_{series_of(name).metric}" for name in slashed}


def test_the_dashboard_shows_only_what_is_reported() -> None:
    board = json.loads((CLUSTER / "grafana.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    asked += [variable["query"]["query"] for variable in board["templating"]["list"] if variable["type"] == "query"]
    used = set(re.findall(r"\bray_[a-z0-9_]+", " ".join(asked)))
    ours = {name for name in used if name.startswith("ray_exphil_")}
    assert len(ours) >= 15
    assert ours <= reported()
    assert used - ours <= set(re.findall(r"\bray_[a-z0-9_]+", Path(default_dashboard_panels.__file__).read_text()))
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_players_and_opponents_are_tags() -> None:
    assert series_of("rl/main/entropy") == ("exphil_rl_player_entropy", {"player": "main"})
    assert series_of("rl/fps") == ("exphil_rl_fps", {})
    assert series_of(names.ELO) == ("exphil_league_elo", {"player": "main"})
    assert series_of("warnings/kind/kl") == ("exphil_warnings_kind", {"kind": "kl"})
    assert series_of("league/win_rate/fighter") == ("exphil_league_win_rate", {"opponent": "fighter"})
    assert series_of(names.VS_WARM_START_LOW) == ("exphil_league_vs_warm_start_low", {})


def test_prometheus_finds_the_nodes_where_ray_lists_them() -> None:
    (job,) = yaml.safe_load((CLUSTER / "prometheus.yml").read_text())["scrape_configs"]
    (files,) = job["file_sd_configs"]
    from ray._private.ray_constants import PROMETHEUS_SERVICE_DISCOVERY_FILE

    assert files["files"] == [f"/tmp/ray/{PROMETHEUS_SERVICE_DISCOVERY_FILE}"]


@pytest.mark.slow
def test_what_is_written_is_served_by_rays_agent() -> None:
    session: Any = ray.init(num_cpus=1, include_dashboard=False, address="local", log_to_driver=False)
    try:
        RayMetrics("night").write({"rl/main/entropy": 2.5, "league/win_rate/fighter": 0.75})
        url = f"http://{session['node_ip_address']}:{ray.nodes()[0]['MetricsExportPort']}/metrics"
        deadline_s, page = time.monotonic() + 60, ""
        while "exphil_rl_player_entropy" not in page and time.monotonic() < deadline_s:
            time.sleep(2)
            with urllib.request.urlopen(url, timeout=10) as answer:
                page = answer.read().decode()
    finally:
        ray.shutdown()
    (entropy,) = [line for line in page.splitlines() if line.startswith("ray_exphil_rl_player_entropy{")]
    assert 'player="main"' in entropy
    assert 'run="night"' in entropy
    assert entropy.endswith(" 2.5")
