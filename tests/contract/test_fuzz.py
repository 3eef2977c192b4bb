"""Random requests to every operation, without a socket: no server error, no hang, no process that stays.

`make fuzz` sends many more.
"""

import os

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from contract.target import Target
from local_sagemaker.api import model

COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
settings.register_profile("test", max_examples=400, derandomize=True, phases=[Phase.generate], **COMMON)
settings.register_profile("fuzz", max_examples=20_000, phases=[Phase.generate, Phase.shrink], **COMMON)
PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


@settings(PROFILE)
@given(data=st.data())
def test_any_request_has_an_answer(target: Target, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(target.names))
    seed = target.seeds.get(operation)
    random = target.requests.random(operation)
    request = data.draw(random if seed is None else target.requests.mutated(operation, seed) | random)
    status, answer = target.ask(operation, request)
    note(f"{status} {answer}")
    if status == 200:
        model.check(model.operation(operation).output_shape, answer)
    else:
        assert 400 <= status < 500
        assert answer["__type"].isalpha()
        assert answer["message"]
