"""Drives WCP's Python reference (the package `pyhall`, if it is installed) as `hall decide` is driven: one scenario a line comes in,
one decision a line goes out. The scenario's sources are data; here they become the callables that the reference asks."""

import json
import sys

from pyhall import HallConfig, RouteInput, load_rules_from_dict, make_decision


def source(answer, read=lambda answer: answer):
    """A callable that gives the answer, or raises; none if it is absent."""
    if answer == "absent":
        return None

    def asked(*_):
        if answer == "raise":
            raise RuntimeError("the scenario says so")
        return read(answer)

    return asked


def decide(scenario):
    gate = scenario.get("gate")
    config = scenario.get("hall_config")
    available = set(scenario.get("workers_available") or [])
    return make_decision(
        inp=RouteInput(**scenario["input"]),
        rules=load_rules_from_dict({"rules": scenario["rules"]}),
        registry_controls_present=set(scenario.get("controls_present") or []),
        registry_worker_available=lambda species: species in available,
        registry_get_privilege_envelope=source(scenario.get("envelope", "absent")),
        registry_policy_allows_privilege=source(scenario.get("envelope_policy", "absent"), tuple),
        policy_gate_eval=source("absent" if gate is None else gate, tuple),
        task_id=scenario.get("task_id", "task_default"),
        hall_config=None if config is None else HallConfig(**config),
        registry_get_worker_hash=source(scenario.get("registered_hash", "absent")),
        get_current_worker_hash=source(scenario.get("current_hash", "absent")),
    )


for line in sys.stdin:
    try:
        print(decide(json.loads(line)).model_dump_json(), flush=True)
    except Exception as error:  # where the reference raises there is no decision
        print(json.dumps({"raised": f"{type(error).__name__}: {error}"}), flush=True)
