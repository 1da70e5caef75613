"""`states:startExecution` in a state machine: moto's always fails.

It hands AWS's parameter names (`StateMachineArn`) to boto3, which calls them `stateMachineArn`; and its answer holds a
date, which is no JSON.
"""

from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)


def mend():
    normalise = StateTaskServiceSfn._normalise_parameters
    evaluate = StateTaskServiceSfn._eval_service_task

    def normalise_parameters(self, parameters, boto_service_name=None, service_action_name=None):
        normalise(self, parameters, boto_service_name, service_action_name)
        for name in list(parameters):
            parameters[name[0].lower() + name[1:]] = parameters.pop(name)

    def normalise_response(self, response, boto_service_name=None, service_action_name=None):
        for name in list(response):
            response[name[0].upper() + name[1:]] = response.pop(name)

    def eval_service_task(self, env, resource_runtime_part, normalised_parameters, state_credentials):
        evaluate(self, env, resource_runtime_part, normalised_parameters, state_credentials)
        answer = env.stack[-1]
        answer["startDate"] = answer["startDate"].isoformat()

    StateTaskServiceSfn._normalise_parameters = normalise_parameters
    StateTaskServiceSfn._normalise_response = normalise_response
    StateTaskServiceSfn._eval_service_task = eval_service_task
