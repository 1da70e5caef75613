"""moto's Step Functions interpreter, where it does not do what AWS does."""

import functools
import importlib
import os
import pkgutil
import sys
import threading
import time
import uuid

import boto3
from botocore.config import Config
from moto.stepfunctions import responses
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSeconds
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task import service
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

import map_tolerance
import nested

# How many times faster than the clock the machines' waits, retries and callback timeouts pass.
TIME_SCALE = float(os.environ.get("STOPGAP_TIME_SCALE", "1"))


def mend():
    share_clients()
    nested.mend()
    map_tolerance.mend()
    keep_causes()
    give_names()
    count_retries()
    if TIME_SCALE != 1:
        scale_time()


def share_clients():
    """moto makes a boto3 client for each task, which takes longer than the task. One a service and Region is enough."""
    lock = threading.Lock()

    @functools.cache
    def client(region, service_name):
        return boto3.client(
            service_name,
            region_name=region,
            endpoint_url=f"http://127.0.0.1:{os.environ['MOTO_PORT']}",
            aws_access_key_id="ak",
            aws_secret_access_key="sk",
            config=Config(
                parameter_validation=False,
                retries={"total_max_attempts": 1},
                read_timeout=3600,
                max_pool_connections=200,
            ),
        )

    def boto_client_for(region, service, state_credentials=None):
        with lock:
            return client(region, service)

    # Imported by name all over the interpreter: load all that do, then replace it in each.
    for module in pkgutil.iter_modules(service.__path__):
        importlib.import_module(f"{service.__name__}.{module.name}")
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions") and hasattr(module, "boto_client_for"):
            module.boto_client_for = boto_client_for


def keep_causes():
    """moto drops the cause of SendTaskFailure."""

    def send_task_failure(self):
        self.stepfunction_backend.send_task_failure(
            self._get_param("taskToken"), error=self._get_param("error"), cause=self._get_param("cause")
        )
        return responses.EmptyResult()

    responses.StepFunctionResponse.send_task_failure = send_task_failure


def give_names():
    """moto names an execution `None` that was started without a name; AWS names it by a UUID."""
    start = models.StepFunctionsParserBackend.start_execution

    def start_execution(self, state_machine_arn, name=None, execution_input=None, trace_header=None):
        return start(self, state_machine_arn, name or str(uuid.uuid4()), execution_input, trace_header)

    models.StepFunctionsParserBackend.start_execution = start_execution


def count_retries():
    """moto counts retries under a key that it makes at first use: two iterations at once make two keys, and count anew."""
    EvalComponent.heap_key = property(lambda component: f"{type(component).__name__}-{id(component)}")


def scale_time():
    """Waits, retries and the polls behind events pass faster, so that a scenario takes seconds.

    Only a callback's timeout is scaled: that of a function call is about the real work of a real process.
    """

    class ScaledTime:
        def __getattr__(self, name):
            return getattr(time, name)

        def sleep(self, seconds):
            time.sleep(seconds / TIME_SCALE)

    retrier_decl.time = ScaledTime()

    def wait_interval(self, env, wait_seconds):
        if wait_seconds > 0:
            env.program_state_event.wait(wait_seconds / TIME_SCALE)

    WaitFunction._wait_interval = wait_interval

    evaluate = ExecutionState._evaluate_with_timeout

    def evaluate_with_timeout(self, env):
        waits = isinstance(self, StateTaskServiceCallback) and self._is_integration_pattern()
        if waits and isinstance(self.timeout, TimeoutSeconds) and not hasattr(self, "unscaled"):
            self.unscaled = self.timeout
            self.timeout = TimeoutSeconds(timeout_seconds=self.timeout.timeout_seconds / TIME_SCALE)
        return evaluate(self, env)

    ExecutionState._evaluate_with_timeout = evaluate_with_timeout
