"""The failure tolerance of a Distributed Map: moto reads it and ignores it, so that no such Map ever fails."""

from moto.stepfunctions.parser.api import HistoryEventType, MapRunFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

ERROR = StatesErrorNameType.StatesExceedToleratedFailureThreshold
CAUSE = "The specified tolerated failure threshold was exceeded"


def mend():
    map_run = DistributedIterationComponent._map_run

    def map_run_with_tolerance(self, env, eval_input):
        map_run(self, env, eval_input)
        counts = eval_input.map_run_record.item_counter.describe()
        if exceeds(counts["failed"] + counts["timedOut"], counts["total"], eval_input):
            raise failure(env)

    DistributedIterationComponent._map_run = map_run_with_tolerance


def exceeds(failed, total, tolerated):
    """Whether neither the count nor the percentage tolerates it. Without either, nothing may fail."""
    by_count = failed <= (tolerated.tolerated_failure_count or 0)
    by_percentage = failed * 100 <= (tolerated.tolerated_failure_percentage or 0) * total
    return not (by_count or by_percentage)


def failure(env):
    details = MapRunFailedEventDetails(error=ERROR.to_name(), cause=CAUSE)
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=StatesErrorName(typ=ERROR),
            event_type=HistoryEventType.MapStateFailed,
            event_details=EventDetails(mapRunFailedEventDetails=details),
        )
    )
